"""What an error looks like to whoever asked: JSON (RFC 9457), HTML or plain text, as they like."""

from __future__ import annotations

import json
from functools import lru_cache
from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON, HTML, TEXT = "application/problem+json", "text/html", "text/plain"
_LONGEST = 1_024  # bytes of Accept worth reading, and remembering
_OFFERED = {"application/problem+json": JSON, "application/json": JSON, "text/html": HTML, "text/plain": TEXT}

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>:root{{color-scheme:light dark}}small{{opacity:.65}}
body{{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:32rem;padding:0 1rem}}</style>
<h1>{status} {title}</h1>
{rows}
"""


def render_problem(
    status: int, detail: str = "", accept: str | None = None, members: Mapping[str, str] | None = None
) -> tuple[str, bytes]:
    """Describe an error in the media type the client likes best.

    Args:
        status: the status code.
        detail: a sentence for whoever reads it; nothing secret.
        accept: the value of Accept; without one the answer is problem+json.
        members: further members of the problem, such as an instance or a request id.

    Returns:
        Content-Type and body.
    """
    title = reason_of(status)
    kind = _choose(accept) if accept and len(accept) <= _LONGEST else JSON
    if kind == JSON:
        problem = {"type": "about:blank", "title": title, "status": status, **({"detail": detail} if detail else {})}
        return JSON, json.dumps({**problem, **(members or {})}).encode() + b"\n"
    rows = [detail] if detail else []
    rows += [f"{name}: {value}" for name, value in (members or {}).items()]
    if kind == TEXT:
        return f"{TEXT}; charset=utf-8", "\n".join([f"{status} {title}", *rows, ""]).encode()
    html = "\n".join(f"<p><small>{escape(row)}</small>" for row in rows)
    return f"{HTML}; charset=utf-8", _PAGE.format(status=status, title=escape(title), rows=html).encode()


def reason_of(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


@lru_cache(maxsize=128)
def _choose(accept: str) -> str:
    from werkzeug.datastructures import MIMEAccept
    from werkzeug.http import parse_accept_header

    return _OFFERED[parse_accept_header(accept, MIMEAccept).best_match(_OFFERED, "text/plain")]
