"""The documentation is true: its Python runs, its commands exist, its tables match the code, its links lead somewhere.

Blocks of one page share a namespace.  A block that opens with `# shop.py` is saved under that name first and imported,
so that later blocks, and later files, can import it.  `<!-- invisible-code-block: python … -->` holds the assertions
readers need not see, `<!-- skip: next "reason" -->` excuses the block below it; every excuse is listed by a test.
"""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin
from unittest import SkipTest

import click
import httpx
import pytest
from sybil import Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser, SkipParser

import anysgi
from anysgi import AsgiToWsgi, WorkerPool, WsgiToAsgi, exceptions, guess_convention, middleware, types
from anysgi.cli import main
from anysgi.middleware import Middleware

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sybil import Document, Example

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
SERVERS = ("uvicorn", "hypercorn", "granian", "daphne", "gunicorn", "waitress-serve")

any_page = pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])


SHOP = """
from flask import Flask, request

app = Flask(__name__)

@app.get("/")
def home():
    return "Hello from Flask"

@app.get("/who")
def who():
    return f"{request.scheme} {request.remote_addr} {request.script_root}"

@app.post("/size")
def size():
    return f"{len(request.get_data())} bytes"

@app.get("/state")
def state():
    return dict(request.environ["anysgi.state"])
"""
API = """
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request

log = []

@asynccontextmanager
async def lifespan(app):
    log.append("startup")
    yield {"greeting": "hello"}
    log.append("shutdown")

app = FastAPI(lifespan=lifespan)
app.get("/")(lambda: "Hello from FastAPI")

@app.get("/who")
def who(request: Request):
    return f"{request.url.scheme} {request.client.host} {request.scope['root_path']}"
"""
"""What `shop.py` and `api.py` are on pages that import them without showing them."""


# --- Python


class Evaluator(PythonEvaluator):
    """Runs a block in its page's namespace, or as the module its first line names."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __call__(self, example: Example) -> None:
        name = re.match(r"# (\w+)\.py\n", example.parsed)
        if name is None:
            super().__call__(example)
        else:
            (self.folder / f"{name[1]}.py").write_text(example.parsed, encoding="utf-8")
            sys.modules.pop(name[1], None)
            importlib.invalidate_caches()
            module = importlib.import_module(name[1])
            example.namespace.update({key: value for key, value in vars(module).items() if not key.startswith("__")})


def parsed(page: Path, folder: Path) -> Document:
    return Sybil(parsers=[CodeBlockParser("python", Evaluator(folder)), SkipParser()]).parse(page)


def fetch(app: Any, path: str = "/", **request: Any) -> tuple[int, str]:
    """Ask an app of either convention; for invisible blocks."""
    if guess_convention(app) == "wsgi":
        with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://shop") as client:
            return _answer(client.request(request.pop("method", "GET"), path, **request))
    return asyncio.run(_fetch(app, path, **request))


async def _fetch(app: Any, path: str, method: str = "GET", **request: Any) -> tuple[int, str]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop") as client:
        return _answer(await client.request(method, path, **request))


def _answer(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.text


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a page's files live while it runs; what they started is ended."""
    (tmp_path / "docs").symlink_to(DOCS)
    monkeypatch.chdir(tmp_path)  # what a block writes stays here
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "api.py").write_text(API)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            close(vars(sys.modules.pop(name)))


def close(namespace: dict[str, Any]) -> None:
    for value in namespace.values():
        if isinstance(value, (AsgiToWsgi, WorkerPool)):
            value.close()
        elif isinstance(value, WsgiToAsgi):
            value.drain()


@any_page
def test_the_python_of_a_page_runs(page: Path, folder: Path) -> None:
    document = parsed(page, folder)
    document.namespace["fetch"] = fetch
    try:
        for example in document.examples():
            try:
                example.evaluate()
            except SkipTest:
                pass  # counted below
    finally:
        close(document.namespace)


SKIPPED = {
    "docs/tutorials/flask-on-uvicorn.md": ["an edit of step 2's shop.py"],
}


def test_blocks_that_do_not_run_are_few_and_say_why() -> None:
    found = {}
    for page in PAGES:
        reasons = re.findall(r'<!-- skip: (?:next|start) "(.+?)" -->', page.read_text(encoding="utf-8"))
        if reasons:
            found[str(page.relative_to(ROOT))] = reasons
        assert page.read_text(encoding="utf-8").count("<!-- skip:") == len(reasons), f"{page}: a skip without a reason"
    assert found == SKIPPED


# --- commands


def commands(page: Path) -> Iterator[list[str]]:
    """The command lines of a page's console blocks, as words; comments and variables in front are taken off."""
    for block in re.findall(r"^```console\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                words = shlex.split(line.removeprefix("$ "), comments=True)
                while words and re.match(r"\w+=", words[0]):
                    words.pop(0)
                yield words


@any_page
def test_anysgi_commands_are_accepted_as_written(page: Path) -> None:
    for program, *words in commands(page):
        if program == "anysgi":
            parse(words)


def parse(words: list[str]) -> None:
    """Have click read a command line, without running it."""
    name, *rest = words
    if name.startswith("-"):
        assert any(name in parameter.opts for parameter in main.get_params(click.Context(main))), name
    else:
        found = max((known for known in every_command() if f"{' '.join(words)} ".startswith(f"{known} ")), key=len)
        rest = words[len(found.split()) :]
        every_command()[found].make_context(found, [word for word in rest if word != "--help"])


def every_command(group: click.Group = main, prefix: str = "") -> dict[str, click.Command]:
    """Every command by its full name, as in `routes diff`."""
    found: dict[str, click.Command] = {}
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inside = isinstance(command, click.Group)
        found |= every_command(command, f"{prefix}{name} ") if inside else {prefix + name: command}
    return found


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    used = {words[1] for page in PAGES for words in commands(page) if words[0] == "make"}
    assert used <= targets


def test_options_of_the_servers_exist() -> None:
    asking = {
        name: subprocess.Popen(
            [Path(sys.executable).with_name(name), "--help"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in SERVERS
    }
    known = {name: process.communicate(timeout=50)[0] for name, process in asking.items()}
    for page in PAGES:
        for program, *words in commands(page):
            for option in (word.partition("=")[0] for word in words if program in SERVERS and word.startswith("-")):
                assert re.search(rf"{option}(?![\w-])", known[program]), f"{page}: {program} has no {option}"


# --- tables


def section(page: str, heading: str) -> str:
    text = (DOCS / page).read_text(encoding="utf-8")
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def rows(text: str) -> dict[str, list[str]]:
    """The tables of a text, by the code in their first column."""
    cells = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines() if line[:1] == "|"
    ]
    return {row[0].strip("`"): row[1:] for row in cells if row[0].startswith("`")}


@pytest.mark.parametrize("adapter", [WsgiToAsgi, AsgiToWsgi, WorkerPool], ids=lambda cls: cls.__name__)
def test_the_reference_lists_every_option_with_its_type_and_default(adapter: type) -> None:
    options = [p for p in inspect.signature(adapter).parameters.values() if p.default is not p.empty]
    documented = rows(section("reference/adapters.md", f"`{adapter.__name__}`"))
    assert list(documented) == [option.name for option in options]
    for option in options:
        kind, default = documented[option.name][:2]
        assert ast.literal_eval(default.strip("`")) == option.default, option.name
        assert kind == written_type(option.annotation), option.name


LAYERS = {name: layer for name in middleware.__all__ if isinstance(layer := getattr(middleware, name), Middleware)}


@pytest.mark.parametrize("name", LAYERS)
def test_the_page_of_a_middleware_lists_every_option_with_its_default(name: str) -> None:
    function = inspect.unwrap(LAYERS[name])
    options = [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    documented = rows((DOCS / f"reference/middleware/{name}.md").read_text(encoding="utf-8"))
    assert list(documented) == [option.name for option in options]
    names = vars(sys.modules[function.__module__])
    for option in options:
        written = documented[option.name][0].strip("`")
        assert written == "required" if option.default is option.empty else eval(written, names) == option.default


def written_type(annotation: str) -> str:
    alias = getattr(types, annotation, None)
    if get_origin(alias) is Literal:
        return ", ".join(f'`"{value}"`' for value in get_args(alias))
    return f"`{annotation}`".replace("|", r"\|")


def test_the_reference_names_every_exception() -> None:
    page = (DOCS / "reference/exceptions.md").read_text(encoding="utf-8")
    for name, value in vars(exceptions).items():
        if isinstance(value, type):
            assert f"`{name}`" in page, name
            bases = [base.__name__ for base in value.__bases__ if base not in (Exception, exceptions.AnysgiError)]
            tree_line = next(line for line in page.splitlines() if re.match(rf"[│├└─ ]*{name}\b", line))
            assert all(base in tree_line or base in tree_parent(page, name) for base in bases), name


def tree_parent(page: str, name: str) -> str:
    """The class a nested line of the tree hangs on."""
    before = page.partition(f"─ {name}")[0].splitlines()[:-1]
    return next(line for line in reversed(before) if line.startswith("├"))


def test_the_reference_names_every_command_and_option() -> None:
    for name, command in every_command().items():
        documented = section("reference/cli.md", f"`anysgi {name}`")
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert f"`{parameter.opts[0]}`" in documented, f"{name} {parameter.opts[0]}"


def test_the_reference_names_every_key_of_environ_and_scope() -> None:
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen["scope"] = set(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
        seen["environ"] = set(environ)
        start_response("200 OK", [])
        return [b""]

    adapters = {"asgi": WsgiToAsgi(wsgi_app), "wsgi": AsgiToWsgi(app)}
    for adapter in adapters.values():
        fetch(adapter, "/?a=1", method="POST", content=b"x", headers={"content-type": "text/plain"})
    close(adapters)
    page = "reference/environ-and-scope.md"
    for direction, heading in (("environ", "From scope to environ"), ("scope", "From environ to scope")):
        documented = set(rows(section(page, heading)))
        named = {key for key in seen[direction] if not key.startswith("HTTP_")}
        assert named <= documented, named - documented


# --- links and docstrings


@any_page
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


def anchors(page: Path) -> set[str]:
    """The anchors GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_has_no_dead_link_where_only_the_package_is() -> None:
    hooks = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["metadata"]["hooks"]
    [rule] = hooks["fancy-pypi-readme"]["substitutions"]
    text = re.sub(rule["pattern"], rule["replacement"], (ROOT / "README.md").read_text(encoding="utf-8"))
    assert not re.search(r"\]\((?!https?:)", text)
    assert "[logs and ids]" not in text
    assert "logs and ids" in text
    assert re.sub(rule["pattern"], rule["replacement"], "[a](https://b.c), [d](e.md#f)") == "[a](https://b.c), d"


def test_every_page_can_be_reached_from_the_index() -> None:
    linked = set(re.findall(r"\]\(([^)#\s]+\.md)", (DOCS / "index.md").read_text(encoding="utf-8")))
    assert linked >= {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")} - {"index.md"}


def public_things() -> Iterator[tuple[str, Any]]:
    for name in anysgi.__all__:
        value = getattr(anysgi, name)
        yield name, value
        if isinstance(value, type):
            methods = (key for key in vars(value) if not key.startswith("_"))
            yield from ((f"{name}.{key}", vars(value)[key]) for key in methods)
    yield from ((name, value) for name, value in vars(exceptions).items() if isinstance(value, type))


@pytest.mark.parametrize(
    ("name", "thing"), list(public_things()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_is_public_has_a_docstring(name: str, thing: object) -> None:
    if callable(thing) or isinstance(thing, (property, ModuleType)):
        assert inspect.getdoc(thing), name


@pytest.mark.parametrize("module", ["anysgi", "anysgi.middleware", "anysgi.testing", "anysgi.migration"])
def test_the_reference_names_all_that_is_public(module: str) -> None:
    reference = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").rglob("*.md"))
    as_code = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`\n]+", reference))))
    assert not set(importlib.import_module(module).__all__) - as_code
