"""Sans-IO: pure translation between the two conventions, and the order of messages as tables.

No thread, no event loop, no socket, no clock in here.  Header names, `HTTP_` keys and latin-1 appear in this package
alone.
"""
