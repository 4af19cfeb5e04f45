"""The rules that hold whichever ASGI server it is, and gunicorn's defaults that none of them shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._rule import changed, kept, lost

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._gunicorn import Setting
    from ._rule import Rules

DEFAULTS: dict[str, object] = {"timeout": 30, "graceful_timeout": 30, "keepalive": 2, "accesslog": None}
"""Settings whose default matters even to those who never wrote them."""

_SYSTEMD = "a process manager's work: in systemd, "
_PROXY = "the server has no such limit; set it at the proxy"
_PARSER = "a gunicorn parser switch; the other servers' parsers are strict and have none"
_NO_LOGGER = "the server logs through Python's logging: configure handlers there"
_STARTUP = "runs once in each worker: do it in the app's lifespan startup (WsgiToAsgi takes lifespan=)"
_SHUTDOWN = "runs once in each worker: do it in the app's lifespan shutdown (WsgiToAsgi takes lifespan=)"
_SUPERVISOR = "runs in gunicorn's master process, and the server has no hook there"
_MIDDLEWARE = "runs around each request: write it as a middleware"
_DIRTY = "gunicorn's dirty arbiters exist nowhere else: use a task queue or a process pool"
_CONTROL = "gunicorn's control socket exists nowhere else"
_SYSLOG = "no syslog there: a logging.handlers.SysLogHandler in the logging configuration"
_STATSD = "no statsd there: a metrics middleware"
_NO_HTTP2 = "HTTP/2 settings are not taken over"

EVERYWHERE: Rules = {
    "wsgi_app": kept("the app; a WSGI app needs the adapter: app = WsgiToAsgi(app)"),
    "config": lost("the other servers have no gunicorn.conf.py"),
    "worker_class": changed(
        "the server is the worker: one event loop in each process.  What sync, gthread or gevent workers did is done "
        "by WsgiToAsgi's threads"
    ),
    "threads": changed(
        "threads belong to the adapter: WsgiToAsgi(app, threads=N); handlers written with async def use none.  Before, "
        "N threads a worker also was the limit of concurrent requests; now connections are taken without limit"
    ),
    "worker_connections": changed("gunicorn lets connections wait beyond it; the nearest setting refuses them"),
    "timeout": changed(
        "in sync workers it ends a request that takes longer, in others a worker whose loop stands still.  Here "
        "nothing ends a slow request: WsgiToAsgi(app, timeout=N) answers 504, and a blocked loop stops every request"
    ),
    "max_requests": lost("nothing there recycles a worker after a number of requests"),
    "max_requests_jitter": lost("nothing there recycles a worker after a number of requests"),
    "worker_tmp_dir": lost("heartbeat files are gunicorn's own; nothing to do"),
    "tmp_upload_dir": lost("the framework decides where uploads go: TMPDIR"),
    "reload_engine": lost("the server chooses how it watches files"),
    "reload_extra_files": lost("name the folders the server has to watch"),
    "spew": lost("a debugging aid of gunicorn's: python -m trace"),
    "check_config": lost("an action, no setting"),
    "print_config": lost("an action, no setting"),
    "preload_app": lost(
        "each worker imports the app itself: more memory, as nothing is shared, and a slower start.  It also ends the "
        "hazards of sharing connections and threads across a fork"
    ),
    "sendfile": lost("wsgi.file_wrapper is served by reading, or by the server's pathsend extension where it has one"),
    "reuse_port": lost("workers share one socket, so it is not needed"),
    "chdir": changed("the working directory is the one you start in: cd there first"),
    "daemon": lost(f"{_SYSTEMD}it is the normal case"),
    "raw_env": kept("set in front of the command; SCRIPT_NAME becomes the root path"),
    "pidfile": lost(f"{_SYSTEMD}it is not needed"),
    "user": lost(f"{_SYSTEMD}User="),
    "group": lost(f"{_SYSTEMD}Group="),
    "umask": lost(f"{_SYSTEMD}UMask="),
    "initgroups": lost(f"{_SYSTEMD}SupplementaryGroups="),
    "secure_scheme_headers": lost("only X-Forwarded-Proto is looked at; a proxy must send that one"),
    "forwarded_allow_ips": lost("no proxy header is trusted by the server: a proxy_headers middleware"),
    "proxy_protocol": lost("PROXY protocol is not spoken: let the proxy send X-Forwarded-For"),
    "proxy_allow_ips": lost("PROXY protocol is not spoken: let the proxy send X-Forwarded-For"),
    "protocol": lost("HTTP only: let nginx use proxy_pass instead of uwsgi_pass"),
    "uwsgi_allow_ips": lost("HTTP only: let nginx use proxy_pass instead of uwsgi_pass"),
    "limit_request_line": lost(_PROXY),
    "limit_request_fields": lost(_PROXY),
    "limit_request_field_size": lost(_PROXY),
    "capture_output": lost("stdout and stderr are left alone; redirect them"),
    "enable_stdio_inheritance": lost("stdout and stderr are left alone"),
    "logger_class": lost(_NO_LOGGER),
    "errorlog": lost(_NO_LOGGER),
    "logconfig_dict": changed("save it as a JSON file and name that file"),
    **dict.fromkeys(("syslog", "syslog_addr", "syslog_prefix", "syslog_facility"), lost(_SYSLOG)),
    "disable_redirect_access_to_syslog": lost(_SYSLOG),
    **dict.fromkeys(("statsd_host", "statsd_prefix", "dogstatsd_tags", "enable_backlog_metric"), lost(_STATSD)),
    "proc_name": lost("the process is called after its command"),
    "default_proc_name": lost("the process is called after its command"),
    "pythonpath": kept("set in front of the command"),
    "paste": lost("make the app in a module: app = get_app('production.ini')"),
    "raw_paste_global_conf": lost("make the app in a module: app = get_app('production.ini')"),
    **dict.fromkeys(("post_fork", "post_worker_init"), changed(_STARTUP)),
    **dict.fromkeys(("worker_exit", "worker_int", "worker_abort"), changed(_SHUTDOWN)),
    **dict.fromkeys(("pre_request", "post_request"), changed(_MIDDLEWARE)),
    **dict.fromkeys(
        ("on_starting", "on_reload", "when_ready", "pre_fork", "pre_exec", "child_exit", "nworkers_changed", "on_exit"),
        lost(_SUPERVISOR),
    ),
    "ssl_context": lost("the server makes its own: give it files, or end TLS at the proxy"),
    "ssl_version": lost("the server chooses the TLS versions"),
    "suppress_ragged_eofs": lost("asyncio decides"),
    "do_handshake_on_connect": lost("asyncio decides"),
    "http_protocols": lost("HTTP/1.1 is spoken"),
    "http2_cleartext": lost(_NO_HTTP2),
    "http2_max_concurrent_streams": lost(_NO_HTTP2),
    "http2_initial_window_size": lost(_NO_HTTP2),
    "http2_max_frame_size": lost(_NO_HTTP2),
    "http2_max_header_list_size": lost(_NO_HTTP2),
    "permit_obsolete_folding": lost(_PARSER),
    "strip_header_spaces": lost(_PARSER),
    "permit_unconventional_http_method": lost(_PARSER),
    "permit_unconventional_http_version": lost(_PARSER),
    "casefold_http_method": lost(_PARSER),
    "forwarder_headers": lost("SCRIPT_NAME and PATH_INFO are never taken from headers"),
    "header_map": changed(
        'the server passes headers with underscores on; WsgiToAsgi(app, underscore_headers="drop"|"refuse"|"keep")'
    ),
    "asgi_disconnect_grace_period": lost("a cancelled request ends at once"),
    "http_parser": lost("the server chooses its parser"),
    **dict.fromkeys(("dirty_apps", "dirty_workers", "dirty_timeout", "dirty_threads"), lost(_DIRTY)),
    "dirty_graceful_timeout": lost(_DIRTY),
    **dict.fromkeys(("on_dirty_starting", "dirty_post_fork", "dirty_worker_init", "dirty_worker_exit"), lost(_DIRTY)),
    **dict.fromkeys(("control_socket", "control_socket_mode", "control_socket_disable"), lost(_CONTROL)),
}


def environment(settings: Iterable[Setting]) -> dict[str, str]:
    """Return the variables that stand in front of the command: those of `raw_env`, and PYTHONPATH."""
    found: dict[str, str] = {}
    for setting in settings:
        if setting.name == "raw_env" and isinstance(setting.value, (list, tuple)):
            found.update(str(item).partition("=")[::2] for item in setting.value)
        elif setting.name == "pythonpath" and setting.value:
            found["PYTHONPATH"] = str(setting.value).replace(",", ":")
    return found
