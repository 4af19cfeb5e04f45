"""Datasette on a table of a thousand rows."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from datasette.app import Datasette


def make() -> Any:
    path = Path("plants.db").absolute()
    if not path.exists():
        database = sqlite3.connect(path)
        with database:
            database.execute("create table plants (id integer primary key, name text)")
            rows = [(number, f"Blüte {number}") for number in range(1000)]
            database.executemany("insert into plants values (?, ?)", rows)
        database.close()
    return Datasette([str(path)], settings={"default_page_size": 100}).app()
