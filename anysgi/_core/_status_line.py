"""The status of a response as WSGI's `start_response` takes it: `200 OK`."""

from __future__ import annotations

from http import HTTPStatus

STATUS_LINES = {int(status): f"{status.value} {status.phrase}" for status in HTTPStatus}


def status_line(status: int) -> str:
    """Write a status code as a status line; one that is not registered has the reason `Unknown`."""
    return STATUS_LINES.get(status) or f"{int(status)} Unknown"
