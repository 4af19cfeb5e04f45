"""hypercorn: what it has of its own.  Much of it was modelled on gunicorn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._rule import addresses, changed, each, flag, kept, lost, option_with, same

if TYPE_CHECKING:
    from ._rule import Rules

_SOCKETS = "it owns unix sockets only; the process stays as it is"

HYPERCORN: Rules = {
    "bind": kept("", lambda value: each("--bind", addresses(value))),
    "backlog": same("--backlog", "hypercorn's default is 100, gunicorn's 2048"),
    "workers": same("--workers", "spawned, not forked: each imports the app"),
    "max_requests": same("--max-requests"),
    "max_requests_jitter": same("--max-requests-jitter"),
    "graceful_timeout": same("--graceful-timeout", "hypercorn's default is 3 seconds, gunicorn's 30"),
    "keepalive": same("--keep-alive", "hypercorn's default is 5 seconds, gunicorn's 2"),
    "reload": kept("", flag("--reload")),
    "daemon": lost("hypercorn's --daemon is about its workers; in systemd, it is the normal case"),
    "pidfile": same("--pid"),
    "user": changed(_SOCKETS, option_with("--user")),
    "group": changed(_SOCKETS, option_with("--group")),
    "umask": changed(_SOCKETS, option_with("--umask")),
    "forwarded_allow_ips": lost("hypercorn trusts no proxy: hypercorn.middleware.ProxyFixMiddleware, or proxy_headers"),
    "accesslog": same("--access-logfile"),
    "access_log_format": same("--access-logformat", "the same atoms, but for %({x}e)s"),
    "errorlog": same("--error-logfile"),
    "loglevel": same("--log-level"),
    "logconfig": same("--log-config"),
    "logconfig_json": kept("", lambda value: ["--log-config", f"json:{value}"] if value else []),
    "statsd_host": same("--statsd-host"),
    "statsd_prefix": same("--statsd-prefix"),
    "keyfile": same("--keyfile"),
    "certfile": same("--certfile", "HTTP/2 is offered as soon as there is a certificate"),
    "cert_reqs": kept("", option_with("--cert-reqs")),
    "ca_certs": same("--ca-certs"),
    "ciphers": same("--ciphers"),
    "http_protocols": kept("HTTP/1.1 and HTTP/2, by ALPN"),
    "http2_cleartext": kept("always spoken, with prior knowledge or by an upgrade"),
    "root_path": same("--root-path"),
    "asgi_loop": same("--worker-class"),
    "asgi_lifespan": lost("hypercorn always asks the app, as `auto` does"),
    "websocket_max_message_size": changed(
        "in a configuration file only: websocket_max_message_size = N, with --config"
    ),
}
