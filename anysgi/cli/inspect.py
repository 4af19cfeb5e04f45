"""`anysgi inspect MODULE:APP`: what an app is, and what serving it on either kind of server takes."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING, Any

import click

from ..adapters._wsgi_to_asgi import NEED_LENGTH
from ..migration._inventory import count_routes
from ._arguments import as_json, how_to_import
from ._errors import installed_version
from ._load import load
from ._options import THREADS, Options

if TYPE_CHECKING:
    from ._load import Loaded


@click.command()
@click.argument("target", metavar="MODULE:APP")
@how_to_import
@as_json
def inspect(as_json: bool, **given: Any) -> None:
    """Say what an app is and what would be adapted to serve it.

    \b
    anysgi inspect shop:app
    anysgi inspect mysite.wsgi --json
    anysgi inspect --factory shop:create_app

    The app is imported, but never called.  Exit code: 0 it can be served, 1 it cannot, 2 wrong usage.
    """
    report = examine(load(Options(**given)))
    click.echo(json.dumps(report) if as_json else _as_text(report))


def examine(loaded: Loaded) -> dict[str, Any]:
    """Collect everything `inspect` prints, as JSON types; None stands for what cannot be known."""
    return {
        "target": f"{loaded.module}:{loaded.attribute}",
        "convention": "both" if loaded.both else loaded.convention,
        "framework": loaded.framework,
        "framework_version": installed_version(loaded.framework.lower()) if loaded.framework else None,
        "routes": count_routes(loaded.app),
        "python": platform.python_version(),
        "on_asgi_server": None if loaded.on("asgi").convention == "asgi" else _wsgi_to_asgi(loaded),
        "on_wsgi_server": None if loaded.on("wsgi").convention == "wsgi" else _asgi_to_wsgi(),
    }


def _wsgi_to_asgi(loaded: Loaded) -> dict[str, Any]:
    return {
        "adapter": "WsgiToAsgi",
        "threads": THREADS,
        "chunked": "spool" if loaded.framework in NEED_LENGTH else "stream",
        "lifespan": "answered by the adapter",
    }


def _asgi_to_wsgi() -> dict[str, Any]:
    return {
        "adapter": "AsgiToWsgi",
        "threads": THREADS,
        "chunked": "stream",
        "lifespan": "run by the adapter: startup before the first request, shutdown at exit",
    }


def _as_text(report: dict[str, Any]) -> str:
    rows = {
        "app": report["target"],
        "convention": {"both": "WSGI and ASGI, a Router"}.get(report["convention"], report["convention"].upper()),
        "framework": " ".join(filter(None, (report["framework"], report["framework_version"]))) or "unknown",
        "routes": "unknown" if report["routes"] is None else str(report["routes"]),
        "python": report["python"],
        "on an ASGI server": _adaptation(report["on_asgi_server"]),
        "on a WSGI server": _adaptation(report["on_wsgi_server"]),
    }
    return "\n".join(f"{name + ':':<19}{value}" for name, value in rows.items())


def _adaptation(plan: dict[str, Any] | None) -> str:
    if plan is None:
        return "as it is, no adapter"
    bodies = {"spool": "collected first, the framework needs a Content-Length", "stream": "streamed"}[plan["chunked"]]
    return (
        f"{plan['adapter']}, {plan['threads']} threads\n{'':<19}chunked request bodies: {bodies}"
        f"\n{'':<19}lifespan: {plan['lifespan']}"
    )
