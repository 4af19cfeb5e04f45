"""`InlinePort`: a loop that only turns while its thread waits."""

from __future__ import annotations

from anysgi._bridge._inline import InlinePort, InlineToThread


def test_a_thread_for_which_there_is_news_turns_no_loop() -> None:
    port = InlinePort("asyncio")
    flow = InlineToThread(port, 100)
    flow.feed(b"x")
    assert flow.wait() is True
    assert flow.take() == b"x"
    port.end()


def test_work_for_a_loop_that_was_ended_is_thrown_away() -> None:
    async def work() -> None:
        raise AssertionError("it ran")

    port = InlinePort("asyncio")
    port.end()
    coroutine = work()
    port.run(coroutine)
    assert coroutine.cr_frame is None
