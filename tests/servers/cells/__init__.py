"""Every server with every framework: one process a cell, the same checks in each, and the README's table of them.

`_checks.py` says what is asked, `limits.toml` what a server or a framework cannot do whatever stands between,
`_table.py` writes the results down.  `python -m tests.servers.cells` runs all of it and renews the table.
"""
