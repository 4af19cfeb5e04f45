"""`python -m apps.tls_run SERVER PORT PEM`: a server without a command line for TLS, which asks for a certificate."""

from __future__ import annotations

import ssl
import sys

from .tls_app import application

server, port, pem = sys.argv[1], int(sys.argv[2]), sys.argv[3]
if server == "werkzeug":
    from werkzeug.serving import run_simple

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=pem)
    context.load_cert_chain(pem)
    context.verify_mode = ssl.CERT_REQUIRED
    run_simple("127.0.0.1", port, application, threaded=True, ssl_context=context)
else:
    from cheroot.ssl.builtin import BuiltinSSLAdapter
    from cheroot.wsgi import Server

    made = Server(("127.0.0.1", port), application, numthreads=4)
    made.ssl_adapter = BuiltinSSLAdapter(pem, pem, pem)
    made.ssl_adapter.context.verify_mode = ssl.CERT_REQUIRED
    made.safe_start()
