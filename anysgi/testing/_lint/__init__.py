"""The validators: `LintASGI` and `LintWSGI`.

`_rule` says what a rule and a finding are, `_report` what becomes of findings.  `_asgi_*` and `_wsgi_*` hold the rules:
values are judged by small pure functions, each with its rule; order is judged by the tables in `_asgi_order` and
`_wsgi_order`.  `_asgi` and `_wsgi` are the wrappers.  Nothing here imports a room of anysgi outside `testing`.
"""
