"""Routes whose nature is known: each does one thing, for a known time."""

import hashlib
import math
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask, Response, redirect
from werkzeug.wrappers import Response as Redirect

app = Flask(__name__, static_folder=None)
LOCK = threading.Lock()
ROWS = 2000


class DelayServer(threading.Thread):
    """Answers every connection one byte after `delay` seconds, until it is closed."""

    def __init__(self, delay: float) -> None:
        super().__init__(daemon=True)
        self.delay = delay
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self.listener.getsockname()[1]

    def run(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Timer(self.delay, self.answer, (client,)).start()

    def answer(self, client: socket.socket) -> None:
        with client:
            client.sendall(b"x")

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


server: list[DelayServer] = []


def burn(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        math.sqrt(2)


def query() -> int:
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("create table numbers (n integer)")
        connection.executemany("insert into numbers values (?)", ((n,) for n in range(ROWS)))
        total = connection.execute("select sum(n) from numbers").fetchone()[0]
        return int(total)
    finally:
        connection.close()


def ask() -> bytes:
    with socket.create_connection(("127.0.0.1", server[0].port)) as client:
        return client.recv(1)


def under_lock() -> None:
    with LOCK:
        time.sleep(0.005)


def compute_and_sleep() -> None:
    burn(0.005)
    time.sleep(0.02)


def on_a_thread(work: Callable[[], Any]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


WORK: dict[str, Callable[[], Any]] = {
    "cpu": lambda: burn(0.03),
    "sleep": lambda: time.sleep(0.02),
    "sqlite": query,
    "socket": ask,
    "lock": under_lock,
    "mixed": compute_and_sleep,
    "computing-thread": lambda: on_a_thread(lambda: hashlib.pbkdf2_hmac("sha256", b"p", b"s", 20_000)),
    "waiting-thread": lambda: on_a_thread(lambda: time.sleep(0.02)),
}


@app.route("/work/<kind>", methods=["GET", "POST"])
def work(kind: str) -> str:
    WORK[kind]()
    return kind


@app.get("/stream")
def stream() -> Response:
    def chunks() -> Iterator[bytes]:
        yield b"a"
        time.sleep(1.1)
        yield b"b"

    return Response(chunks())


@app.get("/fails")
def fails() -> str:
    raise LookupError


@app.get("/account")
def account() -> Redirect:
    return redirect("/login?next=/account")
