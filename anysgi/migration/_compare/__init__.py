"""Recorded traffic, and two apps held against each other by it.

`_exchanges` is what a request and its answer are here; `_recordings` and `_har` read and write them; `_targets` asks an
app or a server; `_json`, `_html` and `_differences` say how two answers differ; `_noise` knows what differs anyway;
`_running` puts them together, and `_report` shows what came of it.
"""
