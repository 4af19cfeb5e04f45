"""Blocked event loops are seen: by sleeping and by computing, on any thread, with the line and how long."""

from __future__ import annotations

import asyncio
import json
import selectors
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from anysgi.exceptions import LoopBlocked
from anysgi.testing import Block, blocking, run


def sleeps() -> None:
    time.sleep(0.25)


def computes() -> None:
    until = time.perf_counter() + 0.25
    while time.perf_counter() < until:
        sum(range(100))


@pytest.mark.parametrize("work", [sleeps, computes])
def test_a_blocked_loop_is_an_error_with_file_function_and_line(work: Any) -> None:
    async def main() -> None:
        await asyncio.sleep(0.01)
        work()

    watch = blocking(0.06)
    with (
        pytest.raises(LoopBlocked, match=r"blocked for more than 0\.06 s:\n  0\.\d+ s at .*test_blocking\.py:\d+ in"),
        watch,
    ):
        asyncio.run(main())
    [block] = watch.blocks
    assert block.function.endswith(f"test_blocking.py in {work.__name__}")
    assert block.seconds >= 0.06


def until_it_selects(thread: int) -> None:
    """Wait until the loop on a thread has nothing to do."""
    until = time.monotonic() + 10
    while sys._current_frames()[thread].f_code is not selectors.DefaultSelector.select.__code__:
        assert time.monotonic() < until
        time.sleep(0)


def holds_the_interpreter() -> None:
    """One call into C that lets no other thread run; a watcher sees it when it is over."""
    began = time.perf_counter()
    length = 2_000_000
    while time.perf_counter() - began < 0.2:
        began = time.perf_counter()
        length *= 2
        sum(range(length))


def test_a_callback_that_goes_straight_into_c_code_is_seen() -> None:
    async def main() -> None:
        await asyncio.sleep(0)
        big.sort(reverse=True)

    big = [*range(10_000_000)]
    big[::2] = reversed(big[::2])
    began = time.perf_counter()
    big.sort()
    took = time.perf_counter() - began
    assert took > 0.06
    big[::2] = reversed(big[::2])
    with blocking(0.06, fail=False) as watch:
        asyncio.run(main())
    [block] = watch.blocks
    assert block.function.endswith("test_blocking.py in main")
    assert block.line == main.__code__.co_firstlineno + 2


def test_another_threads_c_code_is_not_laid_to_the_loop() -> None:
    """The loop waits all the while, and so does the watcher; what runs next did not block."""

    async def main() -> None:
        over = asyncio.Event()
        loop, loops = asyncio.get_running_loop(), threading.get_ident()

        def work() -> None:
            until_it_selects(loops)
            holds_the_interpreter()
            loop.call_soon_threadsafe(over.set)

        working = threading.Thread(target=work)
        working.start()
        await over.wait()
        working.join()

    with blocking(0.1):
        asyncio.run(main())


def test_a_callback_that_is_no_python_code_has_its_name() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_later(0.01, time.sleep, 0.25)
        await asyncio.sleep(0.1)

    with blocking(0.06, fail=False) as watch:
        asyncio.run(main())
    assert [block.function for block in watch.blocks] == ["time in sleep"]


def test_a_loop_that_waits_or_does_many_small_things_is_not_blocked() -> None:
    async def main() -> None:
        for _ in range(120):
            time.sleep(0.005)
            await asyncio.sleep(0)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(time.sleep, 0.5)

    with blocking(0.45):
        asyncio.run(main())


def test_loops_on_other_threads_are_watched_too() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        sleeps()
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    with blocking(0.06, fail=False) as watch:
        run(app)
    assert [block.function.partition(" in ")[2] for block in watch.blocks] == ["sleeps"]


def test_threads_without_a_loop_may_block() -> None:
    with blocking(0.03):
        thread = threading.Thread(target=sleeps)
        thread.start()
        thread.join()
        sleeps()


def test_a_block_that_lasts_to_the_end_of_the_watch_is_seen() -> None:
    async def main() -> None:
        with blocking(0.06, fail=False) as watch:
            sleeps()
        watches.append(watch)

    watches: list[blocking] = []
    asyncio.run(main())
    assert watches[0].blocks


def test_a_baseline_lets_known_blocks_pass_and_new_or_longer_ones_fail(tmp_path: Path) -> None:
    async def main() -> None:
        sleeps()

    file = tmp_path / "blocking.json"
    with blocking(0.06, baseline=file, fail=False) as watch:
        asyncio.run(main())
    watch.update_baseline()
    [(function, seconds)] = json.loads(file.read_text()).items()
    assert function.endswith("in sleeps")
    assert seconds >= 0.06
    with blocking(0.06, baseline=file):
        pass
    watch.blocks = [Block(seconds * 1.2, function, 1, ())]
    watch.check()
    watch.blocks = [Block(seconds * 2, function, 1, ())]
    with pytest.raises(LoopBlocked):
        watch.check()
    watch.blocks = [Block(0.07, "other.py in new", 1, ())]
    with pytest.raises(LoopBlocked, match="new"):
        watch.check()


def test_an_error_of_the_block_itself_is_not_replaced() -> None:
    async def main() -> None:
        sleeps()
        raise KeyError("mine")

    with pytest.raises(KeyError), blocking(0.06):
        asyncio.run(main())


def test_there_must_be_a_baseline_to_update() -> None:
    with pytest.raises(ValueError, match="baseline"):
        blocking().update_baseline()


@pytest.mark.parametrize("content", ["{", "[1]", '{"a.py in f": "long"}'])
def test_a_file_that_is_no_baseline_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "blocking.json"
    file.write_text(content)
    with pytest.raises(ValueError, match=r"blocking\.json is no baseline"):
        blocking(baseline=file)


def test_a_block_is_named_from_where_the_watch_began_wherever_the_process_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        sleeps()

    here = Path(__file__).relative_to(Path.cwd())
    gone = tmp_path / "gone"
    gone.mkdir()
    with blocking(0.06, fail=False) as watch:
        monkeypatch.chdir(gone)
        gone.rmdir()
        asyncio.run(main())
        monkeypatch.undo()
    assert [block.function for block in watch.blocks] == [f"{here.as_posix()} in sleeps"]
