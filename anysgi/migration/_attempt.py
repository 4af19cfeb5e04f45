"""The new side's try at a request: does its answer stand, or is legacy asked?

               head that stands     404/405, or a crash       end without a head
    TRYING     STANDS               HANDED_ON or CRASHED      CRASHED
    STANDS     goes to the server
    HANDED_ON, CRASHED              what else the new side says is dropped

Legacy can be asked only while nothing is lost: no byte of the request's body was read, no byte of a response sent.
After a crash it is asked for safe methods only, as nobody knows what the new side did before it fell.
"""

from __future__ import annotations

TRYING, STANDS, HANDED_ON, CRASHED = "TRYING", "STANDS", "HANDED_ON", "CRASHED"


class Verdict:
    """The state of one try, in either convention.

    Args:
        fallthrough: statuses that hand the request on.
        rescues: whether legacy may answer after a crash.

    Attributes:
        state: see above.
        touched: a byte of the request's body was read.
        status: of the head that came.
    """

    __slots__ = ("_fallthrough", "_rescues", "state", "status", "touched")

    def __init__(self, fallthrough: frozenset[int], rescues: bool) -> None:
        self._fallthrough = fallthrough
        self._rescues = rescues
        self.state = TRYING
        self.status = 0
        self.touched = False

    def head(self, status: int) -> bool:
        """Take the status of the head; False if it is not to be sent."""
        if self.state is TRYING:
            self.status = status
            if self.touched:
                self.state = STANDS
            elif status in self._fallthrough:
                self.state = HANDED_ON
            else:
                self.state = CRASHED if status == 500 and self._rescues else STANDS
        return self.state is STANDS

    def crash(self, *, not_begun: bool = False) -> None:
        """Take note that the new side raised, or ended without a head; `not_begun`: it was never called."""
        if self.state is TRYING and (not_begun or (self._rescues and not self.touched)):
            self.state = CRASHED

    def over(self) -> bool:
        """Whether legacy answers: the rest of the request is not the new side's any more."""
        return self.state is HANDED_ON or self.state is CRASHED

    def touch(self, data: bytes) -> None:
        """Take note that some of the body was read."""
        self.touched = True
