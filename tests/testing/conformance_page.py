"""Write `docs/reference/conformance.md`: the checks of `anysgi.testing`, run on our adapters and on others.

    python -m tests.testing.conformance_page

Needs a2wsgi beside what the tests need (`make bench` installs it).  Each check has a process of its own, so that a
subject that hangs in one does not fail the next; it takes some minutes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import sys
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from anysgi import AsgiToWsgi, WsgiToAsgi
from anysgi.testing import CheckResult, Report
from anysgi.testing._conformance._asgi_to_wsgi import ASGI_TO_WSGI
from anysgi.testing._conformance._check import Check, Checks
from anysgi.testing._conformance._wsgi_to_asgi import WSGI_TO_ASGI

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "conformance.md"
HEAD = """\
# Conformance

What `check_wsgi_to_asgi` and `check_asgi_to_wsgi` of [`anysgi.testing`](testing.md) find in adapters. The page is
written by `python -m tests.testing.conformance_page`, which runs the checks. A check that hangs counts as failed.

Run them on yours:

```python
from anysgi import AsgiToWsgi
from anysgi.testing import check_asgi_to_wsgi

check_asgi_to_wsgi(AsgiToWsgi).raise_for_failures()
```
"""


@contextmanager
def ours(app: Any) -> Any:
    adapter = WsgiToAsgi(app)
    yield adapter
    adapter.drain()


def hypercorn(app: Any) -> Any:
    """hypercorn's wrapper, with the two helpers its server passes."""
    from hypercorn.app_wrappers import WSGIWrapper

    wrapper = WSGIWrapper(app, 2**20)

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        loop = asyncio.get_running_loop()

        async def spawn(function: Callable[..., Any], *args: Any) -> Any:
            return await loop.run_in_executor(None, function, *args)

        def call_soon(function: Callable[..., Any], *args: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(function(*args), loop).result()

        await wrapper(scope, receive, send, spawn, call_soon)

    return asgi


def wsgi_to_asgi() -> dict[str, Any]:
    import a2wsgi
    from asgiref.wsgi import WsgiToAsgi as Asgiref
    from starlette.middleware.wsgi import WSGIMiddleware as Starlette
    from uvicorn.middleware.wsgi import WSGIMiddleware as Uvicorn

    return {
        "anysgi": ours,
        f"a2wsgi {version('a2wsgi')}": a2wsgi.WSGIMiddleware,
        f"asgiref {version('asgiref')}": Asgiref,
        f"hypercorn {version('hypercorn')}": hypercorn,
        f"starlette {version('starlette')}": Starlette,
        f"uvicorn {version('uvicorn')}": Uvicorn,
    }


def asgi_to_wsgi() -> dict[str, Any]:
    import a2wsgi

    return {"anysgi": AsgiToWsgi, f"a2wsgi {version('a2wsgi')}": a2wsgi.ASGIMiddleware}


def apart(checks: Checks, make: Any) -> Report:
    """Run each check in a forked process."""
    return Report(in_a_process(check, make) for check in checks)


def in_a_process(check: Check, make: Any) -> CheckResult:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, pickle.dumps(check.try_on(make)))
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        result: CheckResult = pickle.loads(pipe.read())
    os.waitpid(child, 0)
    return result


def table(reports: dict[str, Report]) -> str:
    """One row a check, one column a subject."""
    columns = list(reports.values())
    lines = ["| check | " + " | ".join(reports) + " |", "|---|" + "---|" * len(reports)]
    for row in zip(*columns, strict=True):
        lines.append(f"| {words(row[0].name)} | " + " | ".join("yes" if r.passed else "**no**" for r in row) + " |")
    passed = [f"{len(report) - len(report.failures)} of {len(report)}" for report in columns]
    return "\n".join([*lines, "| **passed** | " + " | ".join(passed) + " |"])


def words(name: str) -> str:
    return name.replace("_", " ")


def details(reports: dict[str, Report]) -> str:
    found = [
        f"### {name}\n\n" + "\n".join(f"- {words(result.name)}: {shown(result.detail)}" for result in report.failures)
        for name, report in reports.items()
        if report.failures
    ]
    return "\n\n".join(found)


def shown(detail: str) -> str:
    return f"`{detail.replace('`', '')}`"


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    parts = [HEAD]
    for heading, subjects, checks in (
        ("From WSGI to ASGI", wsgi_to_asgi(), WSGI_TO_ASGI),
        ("From ASGI to WSGI", asgi_to_wsgi(), ASGI_TO_WSGI),
    ):
        reports = {name: apart(checks, make) for name, make in subjects.items()}
        parts.append(f"## {heading}\n\n{table(reports)}\n\n{details(reports)}\n")
    PAGE.write_text("\n".join(parts), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")


if __name__ == "__main__":
    main()
