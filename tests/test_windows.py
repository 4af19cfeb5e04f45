"""What Windows has not, no module may ask for while it is imported."""

from __future__ import annotations

import subprocess
import sys

IMPORT_ALL = """
import importlib, os, pkgutil, select, selectors, signal, socket, sys
import asyncio, multiprocessing, anyio.from_thread, click, httpx2, hypothesis, trio  # these know Windows themselves

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in ("fcntl", "grp", "pwd", "resource", "termios", "uvloop"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
for module, names in {
    os: ("fork", "getuid", "killpg", "register_at_fork", "sendfile", "uname"),
    select: ("epoll", "poll"),
    selectors: ("EpollSelector", "PollSelector"),
    signal: ("SIGHUP", "SIGKILL", "SIGQUIT", "SIGUSR1", "setitimer"),
    socket: ("AF_UNIX", "MSG_DONTWAIT", "MSG_NOSIGNAL", "SO_REUSEPORT"),
}.items():
    for name in names:
        delattr(module, name)

import anysgi
for module in pkgutil.walk_packages(anysgi.__path__, "anysgi."):
    if module.name not in ("anysgi.__main__", "anysgi.cli._target"):  # those two run something
        importlib.import_module(module.name)
"""


def test_every_module_can_be_imported_there() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
