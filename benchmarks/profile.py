"""`python -m benchmarks.profile CASE`: one in-process case of ours under cProfile, loop and threads apart.

cProfile multiplies the cost of small functions by three or more: read the order of the rows and the number of calls,
not the seconds.  Threads started with `_thread` instead of `threading` cannot be followed and are missing.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sys
import threading
from typing import Any

from benchmarks import inprocess, peers
from benchmarks.measure import calibrate

SHORT = {
    "hello": "wsgi-hello-1",
    "hello32": "wsgi-hello-32",
    "stream": "wsgi-stream",
    "download": "wsgi-download",
    "upload": "wsgi-upload",
}


class ThreadProfiles:
    """Gives every thread that starts from now on a profile of its own (cProfile sees one thread only)."""

    def __init__(self) -> None:
        self.profiles: list[cProfile.Profile] = []

    def start(self, frame: Any, event: str, argument: Any) -> None:
        """The profile function of a new thread: replaces itself at the first call."""
        profile = cProfile.Profile()
        self.profiles.append(profile)
        profile.enable()

    def stats(self) -> pstats.Stats | None:
        found = None
        for profile in self.profiles:
            if profile.getstats():
                profile.create_stats()
                found = found.add(profile) if found else pstats.Stats(profile)
        return found


def show(title: str, stats: pstats.Stats | None, rows: int, sort: str) -> None:
    print(f"\n==== {title} ====")
    if stats is None:
        print("nothing was seen")
        return
    stats.strip_dirs().sort_stats(sort).print_stats(rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=(__doc__ or "").split("\n\n")[1])
    parser.add_argument("case", choices=[*SHORT, *inprocess.BY_NAME], help="hello is wsgi-hello-1, and so on")
    parser.add_argument("--adapter", default=peers.OURS, help="a peer instead of ours")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long about, unprofiled")
    parser.add_argument("--rows", type=int, default=25)
    parser.add_argument("--sort", default="tottime", choices=["tottime", "cumtime", "ncalls"])
    options = parser.parse_args()
    case = inprocess.BY_NAME[SHORT.get(options.case, options.case)]
    threads = ThreadProfiles()
    threading.setprofile(threads.start)  # before the adapter starts its threads
    laps, _ = inprocess.contenders(case)
    if options.adapter not in laps:
        sys.exit(f"{options.adapter} cannot be imported here; there are: {', '.join(laps)}")
    lap, main_thread = laps[options.adapter], cProfile.Profile()
    count = calibrate(lap, options.seconds, case.width, 100_000)
    elapsed = main_thread.runcall(lap, count)
    print(f"{case.title}: {count} requests, {elapsed / count * case.scale:.1f} {case.unit} each under cProfile")
    here, there = ("event loop", "worker threads") if case.side == "wsgi" else ("server thread", "other threads")
    show(here, pstats.Stats(main_thread), options.rows, options.sort)
    show(there, threads.stats(), options.rows, options.sort)


if __name__ == "__main__":
    main()
