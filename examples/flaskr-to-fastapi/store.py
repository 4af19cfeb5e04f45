"""The blog's posts and people, in sqlite.  Both apps use it as it is: moving routes is not moving data."""

from __future__ import annotations

import os
import sqlite3

from werkzeug.security import check_password_hash, generate_password_hash

SCHEMA = """
CREATE TABLE IF NOT EXISTS person (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, secret TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS post (
    id INTEGER PRIMARY KEY,
    author INTEGER NOT NULL REFERENCES person,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    written TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
"""
POSTS = "SELECT post.*, name FROM post JOIN person ON author = person.id"


def connect() -> sqlite3.Connection:
    """Open the database; it is made where there is none."""
    database = sqlite3.connect(os.environ.get("BLOG_DB", "blog.sqlite3"), check_same_thread=False)
    database.row_factory = sqlite3.Row
    database.executescript(SCHEMA)
    return database


def posts(database: sqlite3.Connection) -> list[sqlite3.Row]:
    """All posts, the latest first."""
    return database.execute(f"{POSTS} ORDER BY post.id DESC").fetchall()


def post(database: sqlite3.Connection, key: int) -> sqlite3.Row | None:
    """One post, or None."""
    row: sqlite3.Row | None = database.execute(f"{POSTS} WHERE post.id = ?", (key,)).fetchone()
    return row


def save(database: sqlite3.Connection, author: int, title: str, body: str, key: int | None = None) -> int:
    """Write a post, a new one unless it has a key; returns its key."""
    with database:
        if key is None:
            values = (author, title, body)
            return database.execute("INSERT INTO post (author, title, body) VALUES (?, ?, ?)", values).lastrowid or 0
        database.execute("UPDATE post SET title = ?, body = ? WHERE id = ?", (title, body, key))
        return key


def delete(database: sqlite3.Connection, key: int) -> None:
    """Forget a post."""
    with database:
        database.execute("DELETE FROM post WHERE id = ?", (key,))


def register(database: sqlite3.Connection, name: str, password: str) -> bool:
    """Add a person; False if the name is taken."""
    try:
        with database:
            values = (name, generate_password_hash(password))
            database.execute("INSERT INTO person (name, secret) VALUES (?, ?)", values)
    except sqlite3.IntegrityError:
        return False
    return True


def log_in(database: sqlite3.Connection, name: str, password: str) -> int | None:
    """The key of the person, or None if name and password do not fit."""
    row = database.execute("SELECT id, secret FROM person WHERE name = ?", (name,)).fetchone()
    return row["id"] if row is not None and check_password_hash(row["secret"], password) else None


def person(database: sqlite3.Connection, key: int | None) -> sqlite3.Row | None:
    """The person with that key."""
    row: sqlite3.Row | None = database.execute("SELECT * FROM person WHERE id = ?", (key,)).fetchone()
    return row
