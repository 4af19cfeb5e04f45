"""`anysgi config translate`: every setting of gunicorn's is classed, and what is written exists and starts."""

from __future__ import annotations

import json
import re
import shlex
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from gunicorn.config import KNOWN_SETTINGS

from anysgi.cli import main
from anysgi.migration._translate import TARGETS, Setting, read_settings, rule_for, translate
from anysgi.migration._translate._everywhere import DEFAULTS, EVERYWHERE
from tests.cli._run import APPS, free_port, request, running

SETTINGS = {setting.name: setting.default for setting in KNOWN_SETTINGS}
HELP = {"uvicorn": ("--help",), "hypercorn": ("--help",), "granian": ("--help",)}
VALUES: dict[str, object] = {
    "bind": ["127.0.0.1:0"],
    "cert_reqs": ssl.CERT_REQUIRED,
    "reload_extra_files": ["a.html"],
}

FILE = """\
import multiprocessing
from os import environ

def helper():
    return 8

bind = "{bind}"
workers = 1
worker_class = "gthread"
threads = helper()
timeout = 60
timeout = 90
raw_env = ["GREETING=hello world", "SCRIPT_NAME=/shop"]
pythonpath = "."
_private = 1
Capital = 1

def post_fork(server, worker):
    server.log.info("forked")
"""

every_server = pytest.mark.parametrize("server", TARGETS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "gunicorn.conf.py"
    path.write_text(FILE.format(bind="127.0.0.1:8000"))
    return path


def verdicts(settings: list[Setting], server: str) -> dict[str, str]:
    return {row.setting.name: row.outcome.verdict for row in translate(settings, server).rows if row.setting.line}


def one(name: str, value: object, server: str) -> tuple[str, list[str]]:
    outcome = rule_for(name, server)(value)
    return outcome.verdict, list(outcome.words)


# --- the tables


@every_server
def test_every_setting_of_gunicorn_is_classed_with_a_reason(server: str) -> None:
    for name, default in SETTINGS.items():
        assert name in TARGETS[server].rules or name in EVERYWHERE, name
        outcome = rule_for(name, server)(VALUES.get(name, default))
        assert outcome.verdict == "translated" or outcome.reason, name


@every_server
def test_no_rule_is_for_something_else(server: str) -> None:
    assert set(TARGETS[server].rules) | set(EVERYWHERE) <= set(SETTINGS)


def test_the_defaults_that_matter_are_gunicorns() -> None:
    assert {name: SETTINGS[name] for name in DEFAULTS} == DEFAULTS


@pytest.fixture(scope="module")
def known_options() -> dict[str, str]:
    asking = {
        name: subprocess.Popen([sys.executable, "-m", name, *words], stdout=subprocess.PIPE, text=True)
        for name, words in HELP.items()
    }
    return {name: process.communicate(timeout=50)[0] for name, process in asking.items()}


@every_server
def test_every_option_that_is_written_exists(server: str, known_options: dict[str, str]) -> None:
    text = known_options[server]
    for name, default in SETTINGS.items():
        for value in (VALUES.get(name, default) or 1, 0):
            for option in (word for word in rule_for(name, server)(value).words if re.match(r"--?[a-z]", word)):
                assert re.search(rf"{option}(?![\w-])", text), f"{name}: {server} has no {option}"
    named = (rule_for(name, server)(1).reason for name in TARGETS[server].rules)
    for option in (option for reason in named for option in re.findall(r"--[a-z][\w-]+", reason)):
        assert re.search(rf"{option}(?![\w-])", text), f"{server} has no {option}"


# --- reading


def test_a_file_is_run_and_its_settings_have_their_last_lines(file: Path) -> None:
    found = {setting.name: (setting.value, setting.line) for setting in read_settings(file)}
    assert found["threads"] == (8, 10)
    assert found["timeout"] == (90, 12)
    assert "_private" not in found
    assert "Capital" not in found
    assert "environ" not in found
    assert "multiprocessing" not in found
    assert callable(found["post_fork"][0])


# --- translating


@pytest.mark.parametrize(
    ("server", "value", "expected"),
    [
        ("uvicorn", "0.0.0.0:80", ("translated", ["--host", "0.0.0.0", "--port", "80"])),
        ("uvicorn", "[::1]:80", ("translated", ["--host", "::1", "--port", "80"])),
        ("uvicorn", ":80", ("translated", ["--host", "127.0.0.1", "--port", "80"])),
        ("uvicorn", "localhost", ("translated", ["--host", "localhost", "--port", "8000"])),
        ("uvicorn", "unix:/run/a", ("translated", ["--uds", "/run/a"])),
        ("uvicorn", "fd://3", ("translated", ["--fd", "3"])),
        ("uvicorn", [], ("translated", ["--host", "127.0.0.1", "--port", "8000"])),
        ("uvicorn", "a:1,b:2", ("changed", ["--host", "a", "--port", "1"])),
        ("granian", "unix:/run/a", ("translated", ["--uds", "/run/a"])),
        ("granian", ["a:1", "b:2"], ("changed", ["--host", "a", "--port", "1"])),
        ("hypercorn", ["a:1", "unix:/b"], ("translated", ["--bind", "a:1", "--bind", "unix:/b"])),
    ],
)
def test_addresses(server: str, value: object, expected: tuple[str, list[str]]) -> None:
    assert one("bind", value, server) == expected


@pytest.mark.parametrize(
    ("name", "value", "uvicorn", "hypercorn", "granian"),
    [
        ("workers", 4, "translated", "translated", "translated"),
        ("threads", 4, "changed", "changed", "changed"),
        ("timeout", 30, "changed", "changed", "changed"),
        ("max_requests", 10, "changed", "translated", "lost"),
        ("preload_app", True, "lost", "lost", "lost"),
        ("forwarded_allow_ips", "*", "changed", "lost", "lost"),
        ("statsd_host", "x:1", "lost", "translated", "lost"),
        ("pidfile", "x", "lost", "translated", "translated"),
        ("keepalive", 5, "translated", "translated", "changed"),
        ("worker_connections", 9, "changed", "changed", "changed"),
        ("post_fork", len, "changed", "changed", "changed"),
        ("on_exit", len, "lost", "lost", "lost"),
    ],
)
def test_verdicts(name: str, value: object, uvicorn: str, hypercorn: str, granian: str) -> None:
    expected = {"uvicorn": uvicorn, "hypercorn": hypercorn, "granian": granian}
    assert {server: one(name, value, server)[0] for server in TARGETS} == expected


def test_what_is_off_adds_no_words() -> None:
    assert one("reload", False, "uvicorn") == ("translated", [])
    assert one("max_requests", 0, "uvicorn")[1] == []
    assert one("accesslog", None, "uvicorn")[1] == ["--no-access-log"]
    assert one("keepalive", 0, "granian")[1] == ["--no-http1-keep-alive"]


@every_server
def test_nothing_is_dropped_and_variables_stand_in_front(server: str, file: Path) -> None:
    settings = read_settings(file)
    translation = translate(settings, server, "shop:app")
    assert {row.setting.name for row in translation.rows} >= {setting.name for setting in settings}
    words = shlex.split(translation.command)
    assert words[:3] == ["GREETING=hello world", "PYTHONPATH=.", server]
    assert words[-3:] == [TARGETS[server].root_path, "/shop", "shop:app"]


def test_the_app_of_the_file_wins() -> None:
    assert translate([Setting("wsgi_app", "shop.wsgi", 1)], "uvicorn", "x:y").command.endswith(" shop.wsgi")


def test_a_translation_is_faithful_if_every_written_setting_is() -> None:
    assert translate([Setting("workers", 2, 1)], "uvicorn").faithful
    assert not translate([Setting("workers", 2, 1), Setting("preload_app", True, 2)], "uvicorn").faithful


# --- the command


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["config", "translate", *arguments])


def test_the_command_line_comes_first_then_a_line_for_every_setting(file: Path) -> None:
    result = run(str(file), "--to", "uvicorn")
    assert result.exit_code == 1
    command, *table = result.output.splitlines()
    assert command.startswith("'GREETING=hello world'" if command[0] == "'" else "GREETING='hello world'")
    assert any("timeout = 90" in line and "changed" in line for line in table)
    assert any("def post_fork" in line for line in table)
    assert any(line.startswith("default") and "keepalive" in line for line in table)


def test_long_values_are_cut_in_the_table_only(tmp_path: Path) -> None:
    file = tmp_path / "gunicorn.conf.py"
    file.write_text(f"raw_env = ['A={'x' * 100}']")
    result = run(str(file), "--to", "granian")
    assert result.exit_code == 0
    assert "…" in result.output
    assert "x" * 100 in result.output.splitlines()[0]


def test_the_object_has_every_setting(file: Path) -> None:
    result = run(str(file), "--to", "granian", "--app", "shop:app", "--json")
    assert result.exit_code == 1
    report = json.loads(result.output)
    assert report["command"].endswith("shop:app")
    timeout = next(item for item in report["settings"] if item["name"] == "timeout")
    assert (timeout["value"], timeout["line"], timeout["verdict"]) == ("90", 12, "changed")


@pytest.mark.parametrize("text", ["1 / 0", "def", "raise SystemExit"])
def test_a_file_that_fails_is_shown_with_its_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "gunicorn.conf.py"
    file.write_text(text)
    result = run(str(file), "--to", "uvicorn")
    assert result.exit_code == 1
    assert "failed while it was run" in result.output


# --- the servers


@pytest.fixture
def everything(tmp_path: Path) -> tuple[Path, int]:
    port = free_port()
    file = tmp_path / "gunicorn.conf.py"
    file.write_text(
        FILE.format(bind=f"127.0.0.1:{port}").replace("/shop", "")
        + "backlog = 512\nmax_requests = 1000\nmax_requests_jitter = 5\ngraceful_timeout = 3\nkeepalive = 3\n"
        "loglevel = 'info'\naccesslog = '-'\nworker_connections = 50\nasgi_loop = 'asyncio'\n"
    )
    return file, port


@pytest.mark.slow
@pytest.mark.server
@every_server
def test_the_server_takes_the_command_line_and_answers(everything: tuple[Path, int], server: str) -> None:
    file, port = everything
    words = shlex.split(translate(read_settings(file), server, "fastapi_shop:app").command)
    command = words[words.index(server) :]
    with running("-m", *command, cwd=APPS, port=port):
        assert request(port, "GET", "/")[0] == 200


def test_a_file_that_is_not_there_is_named() -> None:
    result = run("nowhere.conf.py", "--to", "uvicorn")
    assert (result.exit_code, "nowhere.conf.py cannot be read" in result.output) == (2, True), result.output
