"""Applications nobody here wrote, served three ways, and used as a person or a client of theirs would.

Each is served natively, by a server of its own convention without an adapter, which proves the test; on an ASGI server,
and on a WSGI server.  Behind the adapters each app passes from one convention to the other, and back again where the
server speaks its own.
"""
