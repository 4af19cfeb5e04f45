"""Conformance: named checks for adapters and middleware, ours and anybody's; free of pytest.

A check takes a function that wraps an app, and raises AssertionError if what comes out misbehaves.  Each runs for a
limited time, so that a subject that hangs fails its check and nothing else.
"""
