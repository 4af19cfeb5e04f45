"""`anysgi compare OLD NEW --requests FILE`: the same requests to both, and what a client could tell apart."""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING

import click

from ..exceptions import RecordingError
from ..migration._compare._noise import Noise
from ..migration._compare._openapi import requests_from_openapi
from ..migration._compare._running import compare as compare_sides
from ..migration._compare._side_headers import WithHeaders, hiding
from ._arguments import header_option
from ._comparing import namer, publish, ready, summarize, target, where_it_goes
from ._errors import AppProblem
from ._recording import open_recording

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ..migration._compare._exchanges import Headers, Recorded
    from ..migration._compare._targets import Target


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option(
    "--requests", required=True, metavar="FILE|openapi", help="A recording, a HAR file, `-`: stdin, or `openapi`."
)
@header_option("--old-header", "OLD alone gets")
@header_option("--new-header", "NEW alone gets")
@where_it_goes
def compare(
    old: str,
    new: str,
    requests: str,
    old_header: Headers,
    new_header: Headers,
    report: Path | None,
    junit: Path | None,
    as_json: bool,
    ignore: Sequence[str],
    isolated: bool,
    limit: int | None,
    progress: bool | None,
    timeout: float,
    app_dir: Sequence[str],
) -> None:
    """Send the same requests to OLD and NEW, and say what a client could tell apart.

    \b
    anysgi compare shop.wsgi:app shop.asgi:app --requests traffic.har --report parity.html
    anysgi compare shop:app http://127.0.0.1:8000 --requests traffic.jsonl --json
    anysgi compare shop:app api:app --requests openapi            what the OpenAPI document of one of them names
    anysgi compare shop:app api:app --requests traffic.jsonl --ignore '$.generated_at' --ignore etag
    anysgi compare shop:app api:app --requests traffic.jsonl \\
        --old-header "Authorization: Token $OLD_TOKEN" --new-header "Authorization: Bearer $NEW_TOKEN"

    OLD and NEW are MODULE:APP, of either convention, or URLs.  OLD is asked twice, and once more where NEW differs:
    where it does not repeat itself, that is noise and left out.  Only GET, HEAD and OPTIONS are sent, unless --isolated
    says that data may be changed.

    Twins rarely take each other's tokens and sessions: --old-header and --new-header give each its own.  Every request
    is sent with it, also those that guests made: compare these without the options.  No report has the values, not even
    where an answer repeats them.

    FILE is a recording of `anysgi.migration.record`, a HAR file, or lines such as {"path": "/users?page=2"}.

    Exit code: 0 no difference, 1 differences, nothing compared, or an app or file that cannot be used, 2 wrong usage.
    """
    recording = None if requests == "openapi" else open_recording(requests)
    total = ready(recording, limit, as_json=as_json, progress=progress, report=report)
    noise = Noise(ignore)
    with closing(target(old, app_dir, timeout)) as before, closing(target(new, app_dir, timeout)) as after:
        hide = hiding(old_header + new_header)
        sides = WithHeaders(before, old_header, hide), WithHeaders(after, new_header, hide)
        asked = _from_openapi(*reversed(sides)) if recording is None else recording.requests()
        results = compare_sides(islice(asked, limit), *sides, noise=noise, isolated=isolated, name=namer(before, after))
        given = dict(old_header).keys() & dict(new_header).keys()
        summary = summarize(results, progress=progress, total=total, given=given)
    publish(
        summary,
        old=old,
        new=new,
        noise=noise,
        report=report,
        junit=junit,
        as_json=as_json,
        header_options="--old-header and --new-header",
    )


def _from_openapi(*sides: Target) -> Iterator[Recorded]:
    try:
        yield from requests_from_openapi(*sides)
    except RecordingError as error:
        raise AppProblem(str(error)) from None
