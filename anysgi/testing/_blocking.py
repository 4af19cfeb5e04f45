"""`blocking`: who kept an event loop from running, for how long, and on which line.

A thread looks at every thread's stack some hundred times a second.  A loop that runs the same callback at two looks
has done nothing else in between: whether the callback slept, computed, or sat in C code makes no difference.  C code
that lets no other thread run keeps the watcher from looking, too: a callback that is new after such a gap has had it,
but for what the loop's own clock says it was not running yet.

    idle ──> in a callback ──> in another        the first has ended: it blocked for as long as it was seen
                 └──> idle
"""

from __future__ import annotations

import json
import os
import sys
import sysconfig
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..exceptions import LoopBlocked

if TYPE_CHECKING:
    from types import FrameType

_SLACK = 1.5  # how much longer than the baseline says a block may last: machines differ
_HERE = Path.cwd()  # and not where a test may have gone since: names are keys in a baseline
_LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


@dataclass(frozen=True, slots=True)
class Block:
    """One callback that held a loop up.

    Attributes:
        seconds: how long.
        function: `file in function`, of the code that is no library's; the key in a baseline.
        line: the line most often seen there.
        stack: the calls down to it, innermost last.
    """

    seconds: float
    function: str
    line: int
    stack: tuple[str, ...]

    def __str__(self) -> str:
        path, _, name = self.function.partition(" in ")
        return f"{self.seconds:.3f} s at {path}:{self.line} in {name} ({' > '.join(self.stack)})"


class blocking:
    """Watch the event loops of this process; fail if one of them was blocked.

        with blocking(threshold=0.05):
            asyncio.run(main())

    For asyncio's own loops, on any thread; uvloop shows no frames of its own, so one callback cannot be told from the
    next there.

    Args:
        threshold: seconds from which a callback counts as blocking.
        interval: seconds between two looks; shorter blocks go unseen.
        baseline: a JSON file of known blocks, `{"file in function": seconds}`: only new ones, and those that last half
            as long again, fail.
        fail: raise on exit; otherwise `blocks` is all there is.

    Attributes:
        blocks: what was seen, in order.

    Raises:
        ValueError: the file is no baseline.
        LoopBlocked: on exit; the message has a line for each block.
    """

    def __init__(
        self,
        threshold: float = 0.1,
        *,
        interval: float = 0.005,
        baseline: str | os.PathLike[str] | None = None,
        fail: bool = True,
    ) -> None:
        self.threshold, self.interval, self.fail = threshold, interval, fail
        self.baseline = None if baseline is None else Path(baseline)
        self.blocks: list[Block] = []
        self._known()
        self._seen: dict[int, _Callback] = {}
        self._looked = time.perf_counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="anysgi-blocking", daemon=True)

    def __enter__(self) -> blocking:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        if self.fail and kind is None:
            self.check()

    def check(self) -> None:
        """Raise `LoopBlocked` for the blocks that the baseline does not know."""
        __tracebackhide__ = True  # pytest: these lines are no news
        known = self._known()
        new = [block for block in self.blocks if block.seconds > _SLACK * known.get(block.function, 0.0)]
        if new:
            lines = "\n".join(f"  {block}" for block in new)
            raise LoopBlocked(f"an event loop was blocked for more than {self.threshold} s:\n{lines}")

    def update_baseline(self) -> None:
        """Add what was seen to the baseline file; the longest of each counts."""
        if self.baseline is None:
            raise ValueError("there is no baseline file to update; write blocking(baseline='blocking.json')")
        known = self._known()
        for block in self.blocks:
            known[block.function] = max(known.get(block.function, 0.0), round(block.seconds, 3))
        self.baseline.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    def _known(self) -> dict[str, float]:
        if self.baseline is None or not self.baseline.exists():
            return {}
        try:
            known: dict[str, float] = json.loads(self.baseline.read_text(encoding="utf-8"))
            return {function: float(seconds) for function, seconds in known.items()}
        except (ValueError, TypeError, AttributeError) as error:
            wanted = '{"file in function": seconds}'
            raise ValueError(
                f"{self.baseline} is no baseline, {wanted}: {error}; delete it, and update it anew"
            ) from error

    # On the watching thread

    def _watch(self) -> None:
        while not self._stop.wait(self.interval):
            self._look(time.perf_counter())
        self._look(time.perf_counter(), ended=True)

    def _look(self, now: float, ended: bool = False) -> None:
        running = {} if ended else {ident: _callback(frame) for ident, frame in sys._current_frames().items()}
        for ident in [*self._seen, *(ident for ident in running if ident not in self._seen)]:
            frames, before = running.get(ident), self._seen.get(ident)
            if before is not None and (frames is None or frames[0] is not before.frame):
                self._ended(before, now)
                del self._seen[ident]
                before = None
            if frames is not None:
                self._seen[ident] = callback = before or _Callback(frames[0], now - self._unseen(frames[0], now))
                callback.look(frames)
        self._looked = now

    def _unseen(self, handle: FrameType, now: float) -> float:
        gap = now - self._looked
        return _ran(handle, gap) if gap > 2 * self.interval else 0.0

    def _ended(self, callback: _Callback, now: float) -> None:
        if now - callback.since >= self.threshold:
            self.blocks.append(callback.block(now - callback.since))


class _Callback:
    """What a loop is doing, as far as it was seen."""

    __slots__ = ("frame", "places", "since")

    def __init__(self, frame: FrameType, since: float) -> None:
        self.frame, self.since = frame, since
        self.places: Counter[tuple[str, int, tuple[str, ...]]] = Counter()

    def look(self, frames: list[FrameType]) -> None:
        inner = next((frame for frame in reversed(frames) if _is_own(frame)), frames[-1])
        stack = tuple(f"{_short(frame)}:{frame.f_lineno}" for frame in frames[-4:])
        function = _called_by(inner) if len(frames) == 1 else f"{_short(inner)} in {inner.f_code.co_name}"
        self.places[function, inner.f_lineno, stack] += 1

    def block(self, seconds: float) -> Block:
        function, line, stack = self.places.most_common(1)[0][0]
        return Block(seconds, function, line, stack)


def _callback(frame: FrameType | None) -> list[FrameType] | None:
    """The frames of the callback that a thread's loop runs, outermost first; None for an idle loop, or no loop."""
    frames: list[FrameType] = []
    while frame is not None:
        if frame.f_code.co_name == "_run_once" and os.path.basename(frame.f_code.co_filename) == "base_events.py":
            inner = frames[-1:] and os.path.basename(frames[-1].f_code.co_filename)
            return None if inner != "events.py" else frames[::-1]
        frames.append(frame)
        frame = frame.f_back
    return None


def _ran(handle: FrameType, gap: float) -> float:
    """Seconds a callback may have run unseen: since the last look, and no longer than its turn of the loop."""
    turn = handle.f_back.f_locals if handle.f_back is not None else {}
    if "end_time" not in turn:  # where asyncio notes when the turn began
        return 0.0
    turned: float = turn["self"].time() - turn["end_time"]
    return max(0.0, min(gap, turned))


def _called_by(handle: FrameType) -> str:
    """The name of a callback that has no frame of its own, such as `time.sleep`."""
    callback = getattr(handle.f_locals.get("self"), "_callback", None)
    name = getattr(callback, "__qualname__", type(callback).__qualname__)
    return f"{getattr(callback, '__module__', None) or 'builtins'} in {name}"


def _is_own(frame: FrameType) -> bool:
    path = frame.f_code.co_filename
    return not path.startswith(("<", *_LIBRARIES)) and "site-packages" not in path


def _short(frame: FrameType) -> str:
    path = frame.f_code.co_filename
    try:
        return Path(path).relative_to(_HERE).as_posix()
    except ValueError:
        return os.path.basename(path)
