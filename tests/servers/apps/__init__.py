"""The apps the servers run: the same routes written six times, three as WSGI apps and three as ASGI apps."""
