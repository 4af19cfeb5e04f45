"""Ask both sides the same, one request after another, and tell what came of each; nothing is collected here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ...middleware._capture import REDACTED
from ._differences import find_differences
from ._exchanges import Answered, Asked, Recorded
from ._finding import Finding
from ._noise import Noise, route_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._route_names import Namer
    from ._targets import Target

NO_ANSWER = "nobody answered"
NOT_RECORDED = "the recording has no answer"
OLD_WAVERS = "OLD does not repeat its status"
SAFE = frozenset(["GET", "HEAD", "OPTIONS"])
"""Methods that may be sent to a system in use, as they are not to change anything (RFC 9110 section 9.2.1)."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of one request.

    Attributes:
        request: what was asked.
        route: whom it was for.
        old, new: what each side answered; None for a request that was not sent.
        findings: how they differ, noise left out.
        skipped: why it was not sent, or could not be compared; empty if it was.
    """

    request: Asked
    route: str
    old: Answered | None = None
    new: Answered | None = None
    findings: tuple[Finding, ...] = field(default=())
    skipped: str = ""

    @property
    def differs(self) -> bool:
        """Whether a client could notice."""
        return any(not finding.informative for finding in self.findings)


def compare(
    requests: Iterable[Recorded],
    old: Target,
    new: Target,
    *,
    noise: Noise,
    isolated: bool = False,
    name: Namer = route_of,
) -> Iterator[Compared]:
    """Compare two sides request by request.

    Args:
        requests: what to ask; recorded answers are not looked at.
        old: is asked twice, to learn what differs anyway; and once more after `new`, where that differs.
        new: is asked once.
        noise: what is known to differ; grows.
        isolated: both sides work on data of their own that may be changed: then every method is sent, and `old` is
            asked once, as asking twice would change it twice.
        name: the route of a method and a path.
    """
    for recorded in requests:
        request = recorded.request
        route = name(request.method, request.path)
        if request.method not in SAFE and not isolated:
            yield Compared(request, route, skipped=f"{request.method} may change data; --isolated sends it")
            continue
        before = old.ask(request)
        if request.method in SAFE:
            again = old.ask(request)
            if before.status != again.status:
                yield Compared(request, route, skipped=f"{OLD_WAVERS}: {before.status}, then {again.status}")
                continue
            noise.learn(route, find_differences(request, before, again))
        compared = _held(request, route, before, new.ask(request), noise)
        if compared.differs and request.method in SAFE:  # did a clock tick on, or somebody change the data, just now?
            noise.learn(route, find_differences(request, before, old.ask(request)))
            compared = replace(compared, findings=tuple(noise.without(route, compared.findings)))
        yield compared


def replay(
    requests: Iterable[Recorded], target: Target, *, noise: Noise, isolated: bool = False, name: Namer = route_of
) -> Iterator[Compared]:
    """Send recorded requests again, and hold the answers against the recorded ones."""
    for recorded in requests:
        request = recorded.request
        route = name(request.method, request.path)
        if request.method not in SAFE and not isolated:
            yield Compared(request, route, skipped=f"{request.method} may change data; --isolated sends it")
            continue
        held = _held(request, route, recorded.response, target.ask(request), noise)
        yield replace(held, findings=tuple(finding for finding in held.findings if _is_told(finding, held.old)))


def _is_told(finding: Finding, recorded: Answered | None) -> bool:
    """Whether the recording says what it differs from, and did not leave it out."""
    if finding.kind == "cookie":
        return recorded is None or REDACTED not in recorded.values("set-cookie")
    return not finding.new or REDACTED not in unquote(finding.old)


def _held(request: Asked, route: str, before: Answered | None, after: Answered, noise: Noise) -> Compared:
    """Hold two answers against each other; where there are none, nothing is the same."""
    if before is None:
        return Compared(request, route, skipped=NOT_RECORDED)
    if not before.status and not after.status:
        return Compared(request, route, skipped=f"{NO_ANSWER}: {after.error}")
    findings = noise.without(route, find_differences(request, before, after))
    return Compared(request, route, before, after, tuple(findings))
