"""The order of a WSGI response as a table: what each event leads to, or the id of the rule it breaks.

           start    start, exc_info   empty chunk   chunk       end     next   close
IDLE       PROPOSED PROPOSED          W044          W044        W044           CLOSED
PROPOSED   W045     PROPOSED                        COMMITTED   DONE           CLOSED
COMMITTED  W045                                     COMMITTED   DONE           CLOSED
DONE       W045                                                                CLOSED
CLOSED                                                                  W057   W055
"""

from __future__ import annotations

START, START_EXC, EMPTY, CHUNK, END, NEXT, CLOSE = (
    "start_response()",
    "start_response(exc_info)",
    "an empty chunk",
    "a chunk",
    "the end of the iterable",
    "next()",
    "close()",
)
IDLE, PROPOSED, COMMITTED = "before start_response()", "after start_response()", "after the first byte of body"
DONE, CLOSED = "after the end of the iterable", "after close()"

RESPONSE: dict[str, dict[str, str]] = {
    IDLE: {START: PROPOSED, START_EXC: PROPOSED, EMPTY: "W044", CHUNK: "W044", END: "W044", CLOSE: CLOSED},
    PROPOSED: {START: "W045", START_EXC: PROPOSED, CHUNK: COMMITTED, END: DONE, CLOSE: CLOSED},
    COMMITTED: {START: "W045", CHUNK: COMMITTED, END: DONE, CLOSE: CLOSED},
    DONE: {START: "W045", CLOSE: CLOSED},
    CLOSED: {NEXT: "W057", CLOSE: "W055"},
}
