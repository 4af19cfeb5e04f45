"""The table of servers: what each speaks, what it can do, and the command line that runs our app on it.

Every server is run by its own command (`python -m uvicorn …`) with `anysgi.cli._target:app` as the app, so that its
logging, signals and process management are those its users know.  A new server is one row and one small function.
"""

from __future__ import annotations

import importlib.util
import os
import runpy
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from ._errors import AppProblem
from ._options import THREADS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..types import Convention
    from ._options import Options

_TARGET = "anysgi.cli._target:app"


def _uvicorn(options: Options) -> list[str]:
    reload = ["--reload", *_each("--reload-dir", options.app_dir)] if options.reload else []
    workers = ["--workers", str(options.workers)] if options.workers > 1 else []  # even 1 would start a supervisor
    return [*_host_and_port(options), "--lifespan", options.lifespan, *workers, *reload, _TARGET]


def _hypercorn(options: Options) -> list[str]:
    # With 0 workers it serves in this very process; its reloader needs a worker to restart.
    workers = options.workers if options.workers > 1 or options.reload else 0
    reload = ["--reload"] if options.reload else []
    return ["--bind", options.address, "--workers", str(workers), *reload, f"asgi:{_TARGET}"]


def _granian(options: Options) -> list[str]:
    interface = "asginl" if options.lifespan == "off" else "asgi"
    reload = ["--reload", *_each("--reload-paths", options.app_dir)] if options.reload else []
    workers = ["--workers", str(options.workers)]
    return ["--interface", interface, *_host_and_port(options), *workers, *reload, _TARGET]


def _daphne(options: Options) -> list[str]:
    return ["--bind", options.host, "--port", str(options.port), _TARGET]


def _gunicorn(options: Options) -> list[str]:
    reload = ["--reload"] if options.reload else []
    threads = ["--worker-class", "gthread", "--threads", str(options.threads or THREADS)]
    return ["--bind", options.address, *threads, "--workers", str(options.workers), *reload, _TARGET]


def _waitress(options: Options) -> list[str]:
    looks_ahead = "--channel-request-lookahead=1"  # without it a silent app never hears of a client that left
    return [f"--listen={options.address}", f"--threads={options.threads or THREADS}", looks_ahead, _TARGET]


def _each(option: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (option, value)]


def _host_and_port(options: Options) -> list[str]:
    return ["--host", options.host, "--port", str(options.port)]


@dataclass(frozen=True, slots=True)
class Server:
    """One server.

    Attributes:
        name: of the server and of the module `python -m` runs.
        speaks: the convention of the apps it takes.
        arguments: the command line after the server's name.
        can: which of `workers`, `reload` and `port 0` it knows; the last means that it says which port it got.
        lifespans: the values of `--lifespan` it can honour for an ASGI app.
        forks: its workers are forks of this process, which therefore must not have imported the user's app.
        package: what `pip install` needs.
    """

    name: str
    speaks: Convention
    arguments: Callable[[Options], list[str]]
    can: frozenset[str] = frozenset()
    lifespans: tuple[str, ...] = ("auto", "on", "off")
    forks: bool = False
    package: str = ""

    @property
    def install(self) -> str:
        """The line that installs it."""
        return f'pip install "{self.package}"' if self.package else f"pip install {self.name}"

    def run(self, options: Options) -> NoReturn:
        """Become the server; comes back only as `SystemExit`."""
        options.export()
        command = [self.name, *self.arguments(options)]
        if self.forks:
            _become(command)
        if self.speaks == "wsgi":  # waitress has no handler of its own: let it, and lifespans, close
            signal.signal(signal.SIGTERM, _exit_on)
        sys.argv = command
        runpy.run_module(self.name, run_name="__main__")
        sys.exit(0)


_ALL = frozenset({"workers", "reload", "port 0"})
SERVERS = {
    server.name: server
    for server in (
        Server("uvicorn", "asgi", _uvicorn, can=_ALL, package="anysgi[serve]"),
        Server("hypercorn", "asgi", _hypercorn, can=_ALL, lifespans=("auto",)),
        Server("granian", "asgi", _granian, can=_ALL - {"port 0"}, lifespans=("auto", "off"), forks=True),
        Server("daphne", "asgi", _daphne, can=frozenset({"port 0"}), lifespans=("auto", "off")),
        Server("gunicorn", "wsgi", _gunicorn, can=_ALL, forks=True),
        Server("waitress", "wsgi", _waitress, can=frozenset({"port 0"})),
    )
}


def find_server(name: str) -> Server:
    """Look a server up and make sure it is installed.

    Raises:
        AppProblem: it is not installed; the message has the line that installs it.
    """
    server = SERVERS[name]
    if importlib.util.find_spec(name) is None:
        raise AppProblem(f"{name} is not installed. Install it: {server.install}")
    return server


def one_of(names: Iterable[str]) -> str:
    """Join names for a sentence: `uvicorn, hypercorn or gunicorn`."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def _exit_on(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)


def _become(command: list[str]) -> NoReturn:
    """Replace this process, keeping its id, by a fresh interpreter that has not imported the user's app.

    Forked workers would share what the app opened while it was imported here, lack the threads it started, and
    `--reload` would find the old modules already imported.
    """
    flags = [f"-W{warning}" for warning in sys.warnoptions]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *flags, "-m", *command])
