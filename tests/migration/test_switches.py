"""What can be changed while the router runs: files, environment, flags.  A source gone bad keeps its last word."""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anysgi.exceptions import RouteTableError
from anysgi.migration import EnvironmentSwitches, FileSwitches, FlagSwitches, Overrides, Route, Router, RouteTable
from anysgi.migration._clients import bucket
from anysgi.migration._live import LiveTable, make_plan
from anysgi.migration._switches import MemorySwitches, with_kill, with_percent

from ._apps import NewWsgi, ask, legacy

if TYPE_CHECKING:
    from pathlib import Path

TABLE = RouteTable((Route("/a", "new", name="a"), Route("/b", "new", percent=20.0, name="b"), Route("/c", name="c")))


# --- buckets


@settings(max_examples=30)
@given(st.text())
def test_a_bucket_is_a_percentage_and_always_the_same(key: str) -> None:
    assert 0 <= bucket(key) < 100
    assert bucket(key) == bucket(key)


def test_buckets_are_even() -> None:
    inside = sum(bucket(f"client-{number}") < 5 for number in range(20_000))
    assert 850 < inside < 1150  # 1000, give or take five standard deviations


# --- a plan


def test_the_last_source_to_name_a_route_counts_and_any_kill_is_a_kill() -> None:
    plan = make_plan(TABLE, [Overrides(percents={"a": 5, "gone": 7}), Overrides(percents={"a": 6})])
    assert plan.shares == {"a": 6.0, "b": 20.0, "c": 0.0}
    assert make_plan(TABLE, [Overrides(killed=frozenset("ag")), Overrides(percents={"a": 6})]).shares["a"] == 0
    killed = make_plan(TABLE, [Overrides(kill=True), Overrides()])
    assert [killed.share(route) for route in (*TABLE.routes, None)] == [0, 0, 0, 0]
    default = make_plan(RouteTable(default="new"), [])
    assert default.share(None) == 100


def test_a_percentage_set_by_hand_undoes_the_routes_own_kill() -> None:
    assert with_percent(Overrides(killed=frozenset("a")), "a", 5) == Overrides(percents={"a": 5.0})
    assert with_percent(Overrides(percents={"a": 5.0}), "a", None) == Overrides()


# --- the environment


@pytest.mark.parametrize(
    ("kill", "percent", "says"),
    [
        ("", "", Overrides()),
        ("1", "", Overrides(kill=True)),
        ("true", "", Overrides(kill=True)),
        ("0", "", Overrides()),
        ("a, b", "", Overrides(killed=frozenset("ab"))),
        ("", "a=5, b=7.5", Overrides(percents={"a": 5.0, "b": 7.5})),
        ("", "GET /x=y=5", Overrides(percents={"GET /x=y": 5.0})),
    ],
)
def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, kill: str, percent: str, says: Overrides) -> None:
    monkeypatch.setenv("ANYSGI_KILL", kill)
    monkeypatch.setenv("ANYSGI_PERCENT", percent)
    assert EnvironmentSwitches().read(TABLE) == says


@pytest.mark.parametrize("percent", ["a", "a=x", "a=101"])
def test_an_environment_that_makes_no_sense_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, percent: str
) -> None:
    switches = EnvironmentSwitches("SHOP_")
    monkeypatch.setenv("SHOP_PERCENT", percent)
    assert [switches.read(TABLE), switches.read(TABLE)] == [Overrides(), Overrides()]
    assert len(caplog.records) == 1
    assert repr(switches) == "EnvironmentSwitches('SHOP_')"


# --- the switches file


def test_a_file_is_written_as_it_is_read(tmp_path: Path) -> None:
    ours, theirs = (FileSwitches(tmp_path / "switches.json") for _ in range(2))
    assert theirs.read(TABLE) == Overrides()
    overrides = Overrides(True, frozenset("a"), {"b": 5.0})
    ours.write(overrides)
    assert theirs.read(TABLE) == overrides
    ours.path.unlink()
    assert theirs.read(TABLE) == Overrides()
    assert [file.name for file in tmp_path.iterdir()] == []
    assert repr(ours) == str(ours.path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kill": 1}', '{"percent": {"a": 101}}', '{"killed": 3}', "\udcff"])
def test_a_file_that_makes_no_sense_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    switches = FileSwitches(tmp_path / "switches.json")
    switches.write(Overrides(kill=True))
    assert switches.read(TABLE).kill
    switches.path.write_text(text, errors="surrogateescape")
    assert switches.read(TABLE).kill
    assert "what it said before still holds" in caplog.text


def test_changes_at_the_same_time_do_not_undo_each_other(tmp_path: Path) -> None:
    file = tmp_path / "switches.json"
    names = [f"route-{number}" for number in range(8)]
    ready = threading.Barrier(len(names) + 1)

    def change(edit: Any) -> None:
        ready.wait(10)
        FileSwitches(file).change(edit, TABLE)

    edits = [lambda overrides, name=name: with_percent(overrides, name, 5) for name in names]
    edits.append(lambda overrides: with_kill(overrides, True))
    threads = [threading.Thread(target=change, args=(edit,)) for edit in edits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert FileSwitches(file).read(TABLE) == Overrides(True, frozenset(), dict.fromkeys(names, 5.0))


def test_a_system_without_flock_changes_the_file_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    switches = FileSwitches(tmp_path / "switches.json")
    switches.change(lambda overrides: with_kill(overrides, True), TABLE)
    assert switches.read(TABLE).kill


# --- flags


def test_flags_of_an_openfeature_provider_switch_routes() -> None:
    from openfeature import api
    from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

    flags = {
        "anysgi.kill": InMemoryFlag("off", {"on": True, "off": False}),
        "anysgi.percent.b": InMemoryFlag("half", {"half": 50.0}),
    }
    api.set_provider(InMemoryProvider(flags))
    try:
        switches = FlagSwitches(api.get_client())
        assert repr(FlagSwitches()) != repr(switches)
        assert switches.read(TABLE) == Overrides(percents={"b": 50.0})
        api.set_provider(InMemoryProvider({"anysgi.kill": InMemoryFlag("on", {"on": True})}))
        assert switches.read(TABLE).kill
        assert "FlagSwitches(" in repr(switches)
    finally:
        api.clear_providers()
        api.shutdown()


def test_without_the_sdk_the_message_names_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openfeature", None)
    with pytest.raises(ImportError, match=r"pip install 'anysgi\[flags\]'"):
        FlagSwitches()


# --- the table on disk


def touch(file: Path, text: str) -> None:
    """Write a file whose time stamp is another one, however coarse the clock of the file system is."""
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(text)
    os.utime(file, ns=(before + 10**9, before + 10**9))


ROUTE = '[[route]]\npath = "/a"\nto = "{}"\nname = "a"\n'


def test_an_edit_is_taken_up_and_a_broken_one_is_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "routes.toml"
    touch(file, ROUTE.format("new"))
    router = Router(legacy, NewWsgi(), table=file, switches=(), refresh=0)
    assert ask(router, "wsgi", "/a").side == "new"
    touch(file, ROUTE.format("legacy"))
    assert ask(router, "wsgi", "/a").side == "legacy"
    touch(file, ROUTE.format("nwe"))
    assert ask(router, "wsgi", "/a").side == "legacy"
    assert f"{file}:3: a side is" in caplog.text
    said = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == 1  # once, not for every request
    file.unlink()
    assert ask(router, "wsgi", "/a").side == "legacy"
    touch(file, ROUTE.format("new"))
    assert ask(router, "wsgi", "/a").side == "new"
    router.close()


def test_a_table_that_cannot_be_used_at_the_start_stops_it(tmp_path: Path) -> None:
    with pytest.raises(RouteTableError, match="cannot be read"):
        Router(legacy, NewWsgi(), table=tmp_path / "none.toml")


def test_every_process_follows_the_switches_file_beside_the_table(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(ROUTE.format("new"))
    one, two = (Router(legacy, NewWsgi(), table=file, switches=(), refresh=0) for _ in range(2))
    one.kill()
    assert [ask(each, "wsgi", "/a").side for each in (one, two)] == ["legacy", "legacy"]
    two.restore()
    one.set_percent("a", 0)
    assert ask(two, "wsgi", "/a").side == "legacy"
    one.set_percent("a", None)
    assert ask(two, "wsgi", "/a").side == "new"


def test_tallies_of_routes_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    touch(file, ROUTE.format("new"))
    router = Router(legacy, NewWsgi(), table=file, switches=(), refresh=0)
    ask(router, "wsgi", "/a")
    touch(file, ROUTE.format("new").replace('"a"', '"other"'))
    ask(router, "wsgi", "/a")
    assert [router.stats.tally(name, "new").requests for name in ("a", "other")] == [0, 1]


class Counting:
    """A source that counts its readers, and can be told to fail or to wait."""

    def __init__(self) -> None:
        self.reads = 0
        self.answer: Any = Overrides()
        self.gate: threading.Event | None = None
        self.reading = threading.Event()

    def read(self, table: RouteTable) -> Overrides:
        self.reads += 1
        self.reading.set()
        if self.gate is not None:
            assert self.gate.wait(10)
        if isinstance(self.answer, Exception):
            raise self.answer
        overrides: Overrides = self.answer
        return overrides


def test_sources_are_asked_only_so_often() -> None:
    source = Counting()
    live = LiveTable(TABLE, [source], MemorySwitches(), 3600)
    assert len({id(live.plan()) for _ in range(100)}) == 1
    assert source.reads == 1
    live.look_now()
    assert source.reads == 2


def test_a_source_that_fails_keeps_its_last_word(caplog: pytest.LogCaptureFixture) -> None:
    source = Counting()
    live = LiveTable(TABLE, [source], MemorySwitches(), 0)
    source.answer = Overrides(kill=True)
    assert live.plan().killed
    source.answer = OSError("no network")
    assert live.plan().killed
    assert "cannot be read" in caplog.text


def test_one_request_looks_and_the_others_go_on_with_what_there_is() -> None:
    source = Counting()
    source.gate = threading.Event()
    live = LiveTable(TABLE, [source], MemorySwitches(), 0)
    looking = threading.Thread(target=live.plan)
    looking.start()
    assert source.reading.wait(10)
    assert live.plan().table is TABLE
    source.gate.set()
    looking.join(10)
    live.after_fork()
    assert source.reads == 1


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    in_the_way = tmp_path / "switches.json"
    in_the_way.mkdir()
    with pytest.raises(OSError, match=r"switches\.json"):
        FileSwitches(in_the_way).write(Overrides(kill=True))
    assert [file.name for file in tmp_path.iterdir()] == ["switches.json"]
