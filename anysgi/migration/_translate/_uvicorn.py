"""uvicorn: what it has of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._rule import changed, each, flag, host_and_port, kept, one_address, option_with, same

if TYPE_CHECKING:
    from ._rule import Rules

_HEAD = "httptools limits the whole head to 64 KiB; with --http h11, --h11-max-incomplete-event-size limits it"


def _address(address: str) -> list[str]:
    for scheme, option in (("unix:", "--uds"), ("fd://", "--fd")):
        if address.startswith(scheme):
            return [option, address.removeprefix(scheme)]
    host, port = host_and_port(address)
    return ["--host", host, "--port", port]


def _access_log(value: object) -> list[str]:
    return [] if value else ["--no-access-log"]


UVICORN: Rules = {
    "bind": one_address(_address),
    "backlog": same("--backlog"),
    "workers": same("--workers", "spawned, not forked: each imports the app"),
    "worker_connections": changed(
        "gunicorn lets more connections wait; uvicorn answers them 503", option_with("--limit-concurrency")
    ),
    "timeout": changed(
        "in sync workers it ended a request that took longer; nothing does now (WsgiToAsgi(app, timeout=N) answers "
        "504).  uvicorn restarts a worker whose process does not answer a ping for this long",
        option_with("--timeout-worker-healthcheck"),
    ),
    "max_requests": changed(
        "with --workers 1 nobody restarts the process; with more, the supervisor does",
        option_with("--limit-max-requests"),
    ),
    "max_requests_jitter": same("--limit-max-requests-jitter"),
    "graceful_timeout": same("--timeout-graceful-shutdown", "uvicorn waits for ever by default, gunicorn 30 seconds"),
    "keepalive": same("--timeout-keep-alive", "uvicorn's default is 5 seconds, gunicorn's 2"),
    "limit_request_line": changed(_HEAD),
    "limit_request_fields": changed(_HEAD),
    "limit_request_field_size": changed(_HEAD),
    "reload": kept("", flag("--reload")),
    "reload_extra_files": changed("patterns within the watched folders", lambda value: each("--reload-include", value)),
    "forwarded_allow_ips": changed(
        "gunicorn takes only the scheme from these proxies; uvicorn also takes the client's address",
        option_with("--forwarded-allow-ips"),
    ),
    "accesslog": changed("logged through the logger uvicorn.access, to stdout; a file by --log-config", _access_log),
    "access_log_format": changed("uvicorn has one format: an access_log middleware"),
    "loglevel": same("--log-level"),
    "logconfig": same("--log-config", "the loggers are uvicorn.error and uvicorn.access"),
    "logconfig_json": same("--log-config", "the loggers are uvicorn.error and uvicorn.access"),
    "keyfile": same("--ssl-keyfile"),
    "certfile": same("--ssl-certfile"),
    "cert_reqs": kept("", option_with("--ssl-cert-reqs")),
    "ca_certs": same("--ssl-ca-certs"),
    "ciphers": same("--ssl-ciphers"),
    "root_path": same("--root-path"),
    "asgi_loop": same("--loop"),
    "asgi_lifespan": same("--lifespan"),
    "websocket_max_message_size": same("--ws-max-size"),
}
