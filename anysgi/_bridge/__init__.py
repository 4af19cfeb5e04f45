"""The border: the only package that knows threads, event loops, and how to cross from one to the other.

    Port          how threads reach one loop: many posts, one wake-up           (_port.py, _asyncio.py, _trio.py)
    waker         how a thread interrupts the sleep of an asyncio loop          (_asyncio_waker.py)
    ToLoop        bytes made on a thread, taken on a loop                       (_to_loop.py)
    ToThread      bytes made on a loop, taken on a thread                       (_to_thread.py)
    WorkerPool    threads that run jobs                                         (_pool.py)
    LoopThread    a loop on a thread of its own                                 (_loop_thread.py)
    InlinePort    a loop on the thread that waits for it                        (_inline.py)

A side that finds nothing *parks*: it raises a mark, looks once more, then sleeps.  The other side leaves its news first
and looks at the mark second.  So no wake-up is lost, and none is paid for while both sides are busy: a wake-up costs
two orders of magnitude more than everything else in here.

Counters have one writer each (`_made` by the maker, `_taken` by the taker), so they need no lock.
"""
