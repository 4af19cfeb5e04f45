"""The reference of the router is complete: every option with its type and default, every public name."""

from __future__ import annotations

import ast
import inspect

from anysgi import migration
from anysgi.migration import Router
from tests.test_docs import DOCS, rows, section

PAGES = "\n".join(page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md"))


def test_every_option_of_the_router_is_there_with_its_type_and_default() -> None:
    documented = rows(section("reference/router.md", "`Router`").partition("\n\n| attribute")[0])
    options = [p for p in inspect.signature(Router).parameters.values() if p.kind is p.KEYWORD_ONLY]
    assert list(documented) == [option.name for option in options]
    for option in options:
        kind, default = documented[option.name][:2]
        assert kind.strip("`").replace(r"\|", "|") == option.annotation
        if option.default is not option.empty:
            assert ast.literal_eval(default.strip("`")) == option.default


def test_every_public_name_of_the_router_is_named() -> None:
    public = {name for name, value in vars(Router).items() if not name.startswith("_") and callable(value)}
    page = (DOCS / "reference/router.md").read_text(encoding="utf-8")
    assert all(f"`{name}(" in page for name in public)
    ours = {name for name, home in migration._HOMES.items() if home in OURS}
    assert {name for name in ours if name not in PAGES} <= {"Side", "Observer", "Tally", "Stats", "Usage"}


OURS = {"_router", "_switches", "_flags", "_shadow", "_stats", "_table", "_usage", "_flask_bridge", "_django_bridge"}
