"""Real servers as processes, real frameworks as apps, raw sockets as clients: the matrix of issue 2.

Nothing here imports anysgi: the adapters run in the server processes only (the soak is the exception).
`ANYSGI_TEST_ADAPTER=a2wsgi` runs the same checks on a peer, `=native` runs each app on a server of its own
convention: that is how every check was proved able to fail and able to pass.
"""
