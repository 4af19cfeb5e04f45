"""The known limits, read from `limits.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Limit:
    """What a server, or a framework, cannot do whatever stands between; "" stands for any of them.

    Attributes:
        timing: who is faster decides whether it shows: the check may also pass.
    """

    check: str
    reason: str
    server: str = ""
    framework: str = ""
    timing: bool = False

    def holds(self, server: str, framework: str, check: str) -> bool:
        return check == self.check and self.server in ("", server) and self.framework in ("", framework)


LIMITS = tuple(
    Limit(**row) for row in tomllib.loads(Path(__file__).with_name("limits.toml").read_text(encoding="utf-8"))["limit"]
)


def limit_of(server: str, framework: str, check: str) -> Limit | None:
    return next((limit for limit in LIMITS if limit.holds(server, framework, check)), None)
