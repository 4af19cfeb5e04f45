"""`anysgi replay TARGET --requests FILE`: recorded requests again, and whether the answers are still the same."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import click

from ..migration._compare._noise import Noise
from ..migration._compare._running import replay as replay_to
from ..migration._compare._side_headers import WithHeaders, hiding, renewed
from ._arguments import header_option
from ._comparing import namer, publish, ready, summarize, target, where_it_goes
from ._recording import open_recording

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..migration._compare._exchanges import Headers, Recorded
    from ..migration._compare._side_headers import Hide


@click.command()
@click.argument("target_name", metavar="TARGET")
@click.option("--requests", required=True, metavar="FILE", help="A recording, a HAR file, or `-` for stdin.")
@header_option("--header", "TARGET gets")
@where_it_goes
def replay(
    target_name: str,
    requests: str,
    header: Headers,
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
    """Send recorded requests to TARGET, and hold the answers against the recorded ones.

    \b
    anysgi replay shop:app --requests traffic.jsonl
    anysgi replay http://127.0.0.1:8000 --requests traffic.har --ignore date --report parity.html
    anysgi replay shop:app --requests traffic.jsonl --header "Authorization: Token $TOKEN"
    zcat traffic.jsonl.gz | anysgi replay shop:app --requests -

    TARGET is MODULE:APP, of either convention, or a URL.  Only GET, HEAD and OPTIONS are sent, unless --isolated says
    that the data may be changed.  Requests without a recorded answer are sent, and not compared.

    --header gives a credential where the recording left it out or it is no longer valid; requests that had none go
    without, as their answers are a guest's.  No report has its value.

    Exit code: 0 no difference, 1 differences, nothing compared, or an app or file that cannot be used, 2 wrong usage.
    """
    recording = open_recording(requests)
    total = ready(recording, limit, as_json=as_json, progress=progress, report=report)
    noise = Noise(ignore)
    with closing(target(target_name, app_dir, timeout)) as asked:
        hide = hiding(header)
        sent = (_without(hide, recorded) for recorded in islice(recording.requests(), limit))
        side = WithHeaders(asked, header, hide, renewed)
        results = replay_to(sent, side, noise=noise, isolated=isolated, name=namer(asked))
        summary = summarize(results, progress=progress, total=total, given=dict(header).keys())
    publish(
        summary,
        old=recording.name,
        new=target_name,
        noise=noise,
        report=report,
        junit=junit,
        as_json=as_json,
        header_options="--header",
    )


def _without(hide: Hide, recorded: Recorded) -> Recorded:
    """A recorded answer without the credential, as the target's will be."""
    return replace(recorded, response=recorded.response and hide(recorded.response))
