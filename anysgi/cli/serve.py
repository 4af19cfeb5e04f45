"""`anysgi serve MODULE:APP`: any app on any server, with an adapter only where one is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ._arguments import how_to_import
from ._load import load
from ._options import THREADS, Options
from ._servers import SERVERS, find_server, one_of

if TYPE_CHECKING:
    from ._load import Loaded
    from ._servers import Server


@click.command()
@click.argument("target", metavar="MODULE:APP")
@click.option("--server", type=click.Choice(list(SERVERS)), default="uvicorn", show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all of IPv4.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free port.")
@click.option(
    "--threads", type=click.IntRange(1), help=f"Requests a process works on at a time, for WSGI.  [default: {THREADS}]"
)
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@click.option("--reload", is_flag=True, help="Restart when a file changes.  While you develop.")
@click.option("--lifespan", type=click.Choice(["auto", "on", "off"]), default="auto", help="ASGI startup and shutdown.")
@click.option("--window", type=click.IntRange(1), help="Bytes an adapter lets run ahead.  [default: 262144]")
@how_to_import
def serve(**given: Any) -> None:
    """Run an app, WSGI or ASGI, on a server, WSGI or ASGI.

    MODULE:APP is the Python name of the app: shop:app is `app` in shop.py.  Without :APP the usual names are tried.

    \b
    anysgi serve shop:app                          Flask, FastAPI, …: on uvicorn
    anysgi serve mysite.wsgi                       Django: finds `application`
    anysgi serve shop:app --server gunicorn --workers 4 --threads 16
    anysgi serve --factory shop:create_app --reload
    anysgi serve shop:app --host 0.0.0.0 --port 80

    \b
    servers for ASGI apps: uvicorn, hypercorn, granian, daphne
    servers for WSGI apps: gunicorn, waitress
    Every app runs on every one of them; where they differ, anysgi adapts.
    """
    options = Options(**given)
    server = find_server(options.server)
    _refuse_for_server(server, options)
    loaded = load(options).on(server.speaks)
    _refuse_for_app(loaded, server, options)
    _run(loaded, server, options)


def _run(loaded: Loaded, server: Server, options: Options) -> None:
    from ._build import describe_chain, remember

    url = f"http://{options.address}" if options.port else "on a free port, see below"
    click.echo(f"{describe_chain(loaded, server, options)}  {url}", err=True)
    remember(loaded)
    server.run(options)


def _refuse_for_server(server: Server, options: Options) -> None:
    """Refuse what the server cannot do, whatever the app is."""
    if options.workers > 1 and "workers" not in server.can:
        raise click.UsageError(f"{server.name} runs one process. For --workers: {_able('workers')}.")
    if options.reload and "reload" not in server.can:
        raise click.UsageError(f"{server.name} cannot reload. For --reload: {_able('reload')}.")
    if options.port == 0 and "port 0" not in server.can:
        raise click.UsageError(f"{server.name} does not say which port it got. For --port 0: {_able('port 0')}.")
    if options.reload and options.workers > 1:
        raise click.UsageError("--reload is for one process; leave --workers away while you develop.")
    if server.speaks == "asgi" and options.lifespan not in server.lifespans:
        known = " and ".join(server.lifespans)
        able = one_of(server.name for server in SERVERS.values() if options.lifespan in server.lifespans)
        raise click.UsageError(f"{server.name} knows --lifespan {known} only. For {options.lifespan}: {able}.")


def _able(can: str) -> str:
    return one_of(server.name for server in SERVERS.values() if can in server.can)


def _refuse_for_app(loaded: Loaded, server: Server, options: Options) -> None:
    """Refuse options that would silently do nothing for this app on this server."""
    native = loaded.convention == server.speaks
    here = f"{loaded} on {server.name}"
    if native and options.window is not None:
        raise click.UsageError(f"--window is the adapter's, and {here} needs none.")
    if native and server.speaks == "asgi" and options.threads is not None:
        raise click.UsageError(f"--threads is for WSGI, and {here} is ASGI all the way: its event loop is one thread.")
    if native and server.speaks == "wsgi" and options.lifespan == "on":
        raise click.UsageError(f"--lifespan is ASGI's, and {here} is WSGI all the way.")
