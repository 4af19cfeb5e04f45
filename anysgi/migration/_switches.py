"""What can be changed while the router runs: the kill switch, and percentages.

Sources are read at most once per `refresh` seconds.  A kill anywhere is a kill; where several sources give a route a
percentage, the last one counts.  A source that cannot be read keeps its last word, and says so in the log.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ._table import RouteTable

log = logging.getLogger("anysgi.migration")


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a source says.

    Args:
        kill: everything goes to legacy.
        killed: names of routes that go to legacy.
        percents: shares of the new side by route name, 0 to 100.
    """

    kill: bool = False
    killed: frozenset[str] = frozenset()
    percents: Mapping[str, float] = field(default_factory=dict)


NONE = Overrides()


class Switches(Protocol):
    """A source of overrides."""

    def read(self, table: RouteTable) -> Overrides:
        """Return what holds now; called from request handling, so it must not block.

        Args:
            table: the routes there are.
        """


class EnvironmentSwitches:
    """Reads `ANYSGI_KILL` (`1`, or names of routes) and `ANYSGI_PERCENT` (`name=5,other=50`).

    A process' environment changes from inside only: these are for a restart, or for a hook that sets `os.environ`.

    Args:
        prefix: what the variables' names begin with.
    """

    def __init__(self, prefix: str = "ANYSGI_") -> None:
        self._prefix = prefix
        self._known = ("", "")
        self._last = NONE

    def read(self, table: RouteTable) -> Overrides:
        """Return what the variables say; see `Switches`."""
        texts = (os.environ.get(f"{self._prefix}KILL", ""), os.environ.get(f"{self._prefix}PERCENT", ""))
        if texts != self._known:
            self._known = texts
            try:
                self._last = _from_texts(*texts)
            except ValueError as error:
                log.error("%sKILL or %sPERCENT is not understood, and ignored: %s", self._prefix, self._prefix, error)
        return self._last

    def __repr__(self) -> str:
        return f"EnvironmentSwitches({self._prefix!r})"


def _from_texts(kill: str, percent: str) -> Overrides:
    words = _list(kill)
    everything = [word.lower() in ("1", "true", "yes", "on", "all") for word in words]
    nothing = [word.lower() in ("0", "false", "no", "off") for word in words]
    names = [word for word, yes, no in zip(words, everything, nothing, strict=True) if not yes and not no]
    percents = {}
    for item in _list(percent):
        name, equals, number = item.rpartition("=")
        if not equals:
            raise ValueError(f"{item!r} is not name=percent")
        percents[name.strip()] = percentage(float(number))
    return Overrides(any(everything), frozenset(names), percents)


def _list(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def percentage(number: object) -> float:
    """Return a percentage as a float.

    Raises:
        ValueError: it is no number from 0 to 100.
    """
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 <= number <= 100:
        raise ValueError(f"a percentage is a number from 0 to 100, not {number!r}")
    return float(number)


class MemorySwitches:
    """Switches of this process alone."""

    def __init__(self) -> None:
        self._overrides = NONE

    def read(self, table: RouteTable) -> Overrides:
        """Return what was set; see `Switches`."""
        return self._overrides

    def change(self, edit: Callable[[Overrides], Overrides], table: RouteTable) -> None:
        """Change what holds from now on."""
        self._overrides = edit(self._overrides)

    def __repr__(self) -> str:
        return "this process"


class FileSwitches:
    """A JSON file that all processes of a host share: `{"kill": false, "killed": ["item"], "percent": {"item": 5}}`.

    Args:
        path: need not exist; written as a whole, so that no reader sees half of it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._stamp: object = None
        self._last = NONE

    def read(self, table: RouteTable) -> Overrides:
        """Return what the file says; see `Switches`."""
        stamp = file_stamp(self.path)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._last = _from_json(self.path.read_text(encoding="utf-8")) if stamp else NONE
            except (OSError, ValueError) as error:
                log.error("%s is not understood; what it said before still holds: %s", self.path, error)
        return self._last

    def change(self, edit: Callable[[Overrides], Overrides], table: RouteTable) -> None:
        """Change what the file says; of two processes that do so at a time, neither undoes the other's kill.

        Raises:
            OSError: it cannot be written.
        """
        with _locked(self.path):
            self.write(edit(self.read(table)))

    def write(self, overrides: Overrides) -> None:
        """Replace the file's contents.

        Raises:
            OSError: it cannot be written.
        """
        values = {
            "kill": overrides.kill,
            "killed": sorted(overrides.killed),
            "percent": dict(sorted(overrides.percents.items())),
        }
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump(values, file, indent=2)
            os.chmod(name, 0o644)  # it is no secret, and other users' processes read it too
            os.replace(name, self.path)
        except BaseException:
            os.unlink(name)
            raise

    def __repr__(self) -> str:
        return str(self.path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the file's lock against other processes, on systems that have `flock`."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with open(f"{path}.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def file_stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file does; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _from_json(text: str) -> Overrides:
    try:
        values: Any = json.loads(text)
        kill, killed, percents = values.get("kill", False), values.get("killed", []), values.get("percent", {})
        if not isinstance(kill, bool) or not all(isinstance(name, str) for name in killed):
            raise ValueError('"kill" is true or false, "killed" a list of route names')
        return Overrides(kill, frozenset(killed), {str(name): percentage(share) for name, share in percents.items()})
    except (AttributeError, TypeError) as error:
        raise ValueError(f'it is not of the shape {{"kill": false, "killed": [], "percent": {{}}}}: {error}') from None


def with_kill(overrides: Overrides, kill: bool) -> Overrides:
    """Return the overrides with the kill switch on or off."""
    return replace(overrides, kill=kill)


def with_percent(overrides: Overrides, name: str, percent: float | None) -> Overrides:
    """Return the overrides with another percentage for a route; None takes the table's again."""
    percents = {key: value for key, value in overrides.percents.items() if key != name}
    if percent is not None:
        percents[name] = percentage(percent)
    return replace(overrides, percents=percents, killed=overrides.killed - {name})
