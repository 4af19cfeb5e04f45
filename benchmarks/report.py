"""Turns results into Markdown: the machine, the figures to reach, then one table a case. Pure: text in, text out."""

from __future__ import annotations

from datetime import date
from statistics import median

from benchmarks.measure import Result, advantages
from benchmarks.peers import OURS
from benchmarks.targets import TARGETS, Target, judge

METHOD = """\
Contenders take turns in short slices within one run; a ratio is the median of the ratios of figures measured side by
side in the same round, with the lowest and highest round in brackets. "Ours is better by" above 1 means that anysgi
needs less time, or serves more requests. Absolute figures are this machine's on that day and mean little elsewhere.
Every answer is counted byte by byte and the first one compared by CRC; who answered wrongly, hung or failed is listed
with the reason and has no figures. Everybody who takes a number of threads got the same one (40 in process, 8 on the
native WSGI servers). "CPU" is the processor time of all threads of the process, which a busy machine stretches less
than the time on the clock. "% of a core" tells whether a busy server had its core to itself: figures of servers with
very different shares do not compare, and "per CPU s" (requests per second of its processor time) is the better guide.
In the server cases one-process servers share one core and the load generator has another.
"""


def figure(number: float) -> str:
    """Two or three significant digits: more would be noise."""
    if float(number).is_integer():
        return str(int(number))
    if number >= 100:
        return f"{number:,.0f}".replace(",", " ")
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}"


def span(figures: list[float]) -> str:
    return f"{figure(min(figures))} - {figure(max(figures))}"


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def ratio_cell(result: Result, contender: str) -> str:
    if contender == OURS or not result.comparable:
        return "1" if result.comparable else "-"
    ratios = advantages(result, OURS, contender)
    if not ratios:
        return "-"
    return f"**{figure(median(ratios))} x** ({span(ratios)})" if len(ratios) > 1 else f"**{figure(ratios[0])} x**"


def fact_cell(name: str, facts: dict[str, float]) -> str:
    return figure(facts[name]) if name in facts else "-"


def case_table(result: Result) -> str:
    """Best median first, failures last."""
    facts = list(dict.fromkeys(fact for facts in result.facts.values() for fact in facts))
    best_first = sorted(result.samples, key=lambda name: median(result.samples[name]), reverse=result.higher_is_better)
    rows = [sample_row(result, name, facts) for name in best_first]
    for name, reason in result.failures.items():
        rows.append([name, "-", "-", reason.replace("|", "\\|"), *["-"] * len(facts)])
    return table(["contender", f"median {result.unit}", "lowest - highest", "ours is better by", *facts], rows)


def sample_row(result: Result, name: str, facts: list[str]) -> list[str]:
    samples, beside = result.samples[name], result.facts.get(name, {})
    shown = f"**{name}**" if name == OURS else name
    figures = [shown, figure(median(samples)), span(samples), ratio_cell(result, name)]
    return figures + [fact_cell(fact, beside) for fact in facts]


def section(result: Result) -> str:
    rounds = max((len(samples) for samples in result.samples.values()), default=0)
    notes = "".join(f"\n{note}\n" for note in result.notes)
    about = f"`--only {result.name}`, {rounds} round{'s' if rounds != 1 else ''}"
    return f"### {result.title}\n\n{about}\n\n{case_table(result)}{notes}"


def asked(results: dict[str, Result]) -> list[Target]:
    """The figures whose cases were run."""
    return [target for target in TARGETS if target.case in results]


def target_table(results: dict[str, Result]) -> str:
    rows = []
    for target in asked(results):
        verdict = judge(target, results)
        rows.append([target.work, target.figure, verdict.measured or "-", verdict.word])
    return table(["work", "figure to reach", "measured", "reached?"], rows)


def summary(results: dict[str, Result]) -> str:
    """One line on how many figures were reached."""
    verdicts = [judge(target, results).reached for target in asked(results)]
    reached, missed, unknown = (verdicts.count(one) for one in (True, False, None))
    return f"{reached} figures reached, {missed} missed, {unknown} not measured.\n"


def render(results: dict[str, Result], machine: list[tuple[str, str]], command: str, minutes: float) -> str:
    about = [("Date", date.today().isoformat()), ("Command", f"`{command}` ({minutes:.1f} minutes)"), *machine]
    parts = [
        "# Results of the benchmarks\n",
        f"Written by `{command}`; do not edit, run it again.\n",
        table(["", ""], [[name, value] for name, value in about]),
        METHOD,
        "## Figures to reach\n",
        target_table(results),
        summary(results),
        "## All measurements\n",
        *(section(result) for result in results.values()),
    ]
    return "\n".join(parts)
