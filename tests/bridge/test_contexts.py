"""`write_back`: what was set in a copy of the context is set here as well, and nothing else is touched."""

from __future__ import annotations

from contextvars import Context, ContextVar, copy_context

from anysgi._bridge._contexts import write_back

changed: ContextVar[object] = ContextVar("changed")
fresh: ContextVar[object] = ContextVar("fresh")
kept: ContextVar[object] = ContextVar("kept")


def test_what_was_set_in_the_copy_is_set_here() -> None:
    def work() -> None:
        changed.set("new")
        fresh.set(None)

    def check() -> None:
        changed.set("old")
        copy = copy_context()
        copy.run(work)
        assert changed.get() == "old"
        write_back(copy)
        assert changed.get() == "new"
        assert fresh.get() is None

    Context().run(check)


def test_what_was_not_changed_is_not_set_again() -> None:
    """A variable set here meanwhile and untouched there would otherwise go back in time for a token's reset."""

    def check() -> None:
        value = object()
        token = kept.set(value)
        copy = copy_context()
        before = copy_context()
        write_back(copy)
        assert dict(copy_context()) == dict(before)
        kept.reset(token)
        assert kept not in copy_context()

    Context().run(check)


def test_an_equal_value_that_is_another_object_is_a_change() -> None:
    def check() -> None:
        first, second = [1], [1]
        changed.set(first)
        copy = copy_context()
        copy.run(changed.set, second)
        write_back(copy)
        assert changed.get() is second

    Context().run(check)


def test_an_empty_context_changes_nothing() -> None:
    def check() -> None:
        changed.set("here")
        write_back(Context())
        assert changed.get() == "here"

    Context().run(check)
