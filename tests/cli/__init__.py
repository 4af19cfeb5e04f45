"""Tests of the `anysgi` command: real servers as processes, and what it says when something is wrong."""
