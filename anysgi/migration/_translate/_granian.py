"""granian: what it has of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._rule import changed, flag, host_and_port, kept, lost, one_address, option_with, same

if TYPE_CHECKING:
    from ._rule import Rules


def _address(address: str) -> list[str]:
    if address.startswith("unix:"):
        return ["--uds", address.removeprefix("unix:")]
    host, port = host_and_port(address)
    return ["--host", host, "--port", port]


GRANIAN: Rules = {
    "bind": one_address(_address),
    "backlog": same("--backlog", "granian takes 128 or more; its default is 1024, gunicorn's 2048"),
    "workers": same("--workers", "spawned, not forked: each imports the app"),
    "worker_connections": changed(
        "granian lets connections wait in the backlog beyond it", option_with("--backpressure")
    ),
    "max_requests": lost("recycled by age or by memory: --workers-lifetime, --workers-max-rss"),
    "max_requests_jitter": lost("recycled by age or by memory: --workers-lifetime, --workers-max-rss"),
    "graceful_timeout": same("--workers-kill-timeout", "granian waits for ever by default, gunicorn 30 seconds"),
    "keepalive": changed(
        "on or off, without a time of its own",
        lambda value: ["--http1-keep-alive"] if value else ["--no-http1-keep-alive"],
    ),
    "limit_request_line": changed("--http1-buffer-size limits the whole head"),
    "limit_request_field_size": changed("--http1-buffer-size limits the whole head"),
    "reload": kept("", flag("--reload")),
    "chdir": same("--working-dir"),
    "pidfile": same("--pid-file"),
    "proc_name": same("--process-name", 'needs pip install "granian[pname]"'),
    "forwarded_allow_ips": lost("granian trusts no proxy: granian.utils.proxies, or a proxy_headers middleware"),
    "accesslog": changed(
        "logged through the logger granian.access, to stdout; a file by --log-config",
        lambda value: ["--access-log"] if value else [],
    ),
    "access_log_format": changed("--access-log-fmt has other placeholders: %(addr)s, %(method)s, %(path)s, %(status)d"),
    "loglevel": same("--log-level"),
    "logconfig": changed("--log-config takes JSON, not INI: rewrite the file"),
    "logconfig_json": same("--log-config"),
    "keyfile": same("--ssl-keyfile", "PKCS#8 only"),
    "certfile": same("--ssl-certificate"),
    "cert_reqs": kept("", flag("--ssl-client-verify")),
    "ca_certs": same("--ssl-ca"),
    "ciphers": lost("rustls chooses the ciphers"),
    "ssl_version": changed("--ssl-protocol-min tls1.2 or tls1.3"),
    "http_protocols": kept("HTTP/1.1 and HTTP/2: --http auto, the default"),
    "http2_max_concurrent_streams": same("--http2-max-concurrent-streams"),
    "http2_initial_window_size": same("--http2-initial-stream-window-size"),
    "http2_max_frame_size": same("--http2-max-frame-size"),
    "http2_max_header_list_size": same("--http2-max-headers-size"),
    "root_path": same("--url-path-prefix"),
    "asgi_loop": same("--loop"),
    "asgi_lifespan": changed("--interface asginl instead of asgi switches it off"),
    "websocket_max_message_size": lost("granian has no limit for it"),
}
