"""The flow engine: layers, the stack they make, and the two drivers that take a request through it.

`_layer.py` is what a middleware is, `_exchange.py` the table of its life, `_wsgi*.py` and `_asgi*.py` the drivers.  It
knows none of the middleware around this folder.
"""
