"""The test's side of an app's door: hears what the app says it did, and lets it go on.  See `apps/_parts.py`."""

from __future__ import annotations

import socket
from typing import Self


class Silence(AssertionError):
    """The app said nothing in the time it had."""


class Visitor:
    """One app at the door."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.lines = b""

    def hear(self, within: float = 10.0) -> str:
        """The next line the app says; "" once it has left."""
        self.connection.settimeout(within)
        while b"\n" not in self.lines:
            try:
                data = self.connection.recv(4096)
            except TimeoutError:
                raise Silence(f"nothing heard within {within} s") from None
            except ConnectionResetError:
                data = b""
            if not data:
                return ""
            self.lines += data
        line, _, self.lines = self.lines.partition(b"\n")
        return line.decode()

    def hear_until(self, word: str, within: float = 10.0) -> str:
        """The first line that starts with `word`; lines before it are the app's progress."""
        while not (line := self.hear(within)).startswith(word):
            if not line:
                raise Silence(f"the app left without saying {word!r}")
        return line

    def let_on(self, word: bytes = b"!") -> None:
        self.connection.sendall(word)


class Doorman:
    """Listens for apps; `query` is what a request must carry for its app to find us."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.query = f"door={self.listener.getsockname()[1]}"
        self.visitors: list[Visitor] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for visitor in self.visitors:
            visitor.connection.close()
        self.listener.close()

    def greet(self, within: float = 10.0) -> Visitor:
        """The next app that comes to the door."""
        self.listener.settimeout(within)
        try:
            connection, _ = self.listener.accept()
        except TimeoutError:
            raise Silence(f"no app came to the door within {within} s") from None
        self.visitors.append(Visitor(connection))
        return self.visitors[-1]

    def nobody_waits(self) -> bool:
        """No app has come so far."""
        self.listener.settimeout(0)
        try:
            self.greet(0)
        except (BlockingIOError, Silence):
            return True
        return False
