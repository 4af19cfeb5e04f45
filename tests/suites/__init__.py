"""Frameworks' own test suites, from their source distributions, with every app of theirs behind a double bridge.

`python -m tests.suites` fetches them, at the versions that are installed, into build/suites; `python -m
tests.suites.page` writes docs/reference/suites.md.  What may fail, and why, is in the .toml file of each.
"""
