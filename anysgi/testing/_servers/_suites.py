"""`check_asgi_server` and `check_wsgi_server`."""

from __future__ import annotations

from .._conformance._check import Report
from . import _asgi_checks, _wsgi_checks
from ._asgi_app import asgi
from ._served import Serve
from ._wire import BOUND
from ._wsgi_app import wsgi

_STARTS = 60.0
"""Seconds a server may take to start, answer and stop."""

_ANSWERS = 4 * BOUND
"""Seconds a running server may take for all answers of a check."""


def check_asgi_server(serve: Serve) -> Report:
    """Try an ASGI server on the rules that no app can tell alone: a client on the wire tells the other half.

    Three apps are served, one after the other; what the apps themselves can tell is `LintASGI`'s.

    Args:
        serve: called as `serve(app)`; returns a context manager around a `ServedApp`.  `served_by` makes one from a
            command; the apps are names of a module, so that another process can import them.

    Returns:
        The result of each check; its name is the rule's id.  What the server does not offer, such as WebSockets or
        HTTP/2, is not tried: such a result has passed, and its detail says why.

    Raises:
        ImportError: a client is missing; write: pip install 'anysgi[testing]'
        ConnectionError: the server does not start.
    """
    _need("h11", "wsproto", "h2")
    report = Report(check.try_on(serve, _STARTS) for check in _asgi_checks.STARTING)
    with serve(asgi) as served:
        report += [check.try_on(served, _ANSWERS) for check in _asgi_checks.ANSWERING]
    return report


def check_wsgi_server(serve: Serve) -> Report:
    """Try a WSGI server on the rules that no app can tell alone: a client on the wire tells the other half.

    What an app can tell itself is `LintWSGI`'s.

    Args:
        serve: see `check_asgi_server`.

    Returns:
        The result of each check; its name is the rule's id.

    Raises:
        ImportError: a client is missing; write: pip install 'anysgi[testing]'
        ConnectionError: the server does not start.
    """
    _need("h11")
    with serve(wsgi) as served:
        return Report(check.try_on(served, _ANSWERS) for check in _wsgi_checks.ANSWERING)


def _need(*modules: str) -> None:
    """See to it that the clients are there before a server is started."""
    from importlib import import_module

    try:
        for name in modules:
            import_module(name)
    except ImportError as error:
        raise ImportError(f"checking a server needs {error.name}: pip install 'anysgi[testing]'") from None
