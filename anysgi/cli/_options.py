"""The options of `anysgi serve` as one value, which travels to worker processes in an environment variable.

Workers may be forked or spawned by any server: the environment is the one thing all of them inherit.
"""

from __future__ import annotations

import dataclasses
import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..types import Convention, LifespanMode

_VARIABLE = "ANYSGI_SERVE"
THREADS = 40
"""Threads per process when `--threads` is not given, whoever owns them: the adapter or a WSGI server."""


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for; None where the default depends on the app and the server."""

    target: str
    app_dir: Sequence[str]
    server: str = "uvicorn"
    host: str = "127.0.0.1"
    port: int = 8000
    factory: bool = False
    convention: Convention | None = None
    threads: int | None = None
    window: int | None = None
    workers: int = 1
    reload: bool = False
    lifespan: LifespanMode = "auto"

    @property
    def address(self) -> str:
        """`host:port`, with the brackets IPv6 needs."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def export(self) -> None:
        """Leave the options in this process's environment, for the processes a server starts."""
        os.environ[_VARIABLE] = json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_environment(cls) -> Options:
        """Read back what `export` left.

        Raises:
            RuntimeError: nobody called `export` in this process or a parent of it.
        """
        try:
            return cls(**json.loads(os.environ[_VARIABLE]))
        except KeyError:
            raise RuntimeError(f"{_VARIABLE} is not set: run `anysgi serve MODULE:APP`, which sets it") from None
