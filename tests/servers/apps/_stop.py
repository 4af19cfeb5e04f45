"""SIGTERM for servers that leave it to the program around them; it says that it came, as the others do."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable


def on_sigterm(stop: Callable[[], object]) -> None:
    def handle(number: int, frame: object) -> None:
        sys.stderr.write("Handling signal: term\n")
        stop()

    signal.signal(signal.SIGTERM, handle)
