"""The WSGI rules about order and conduct, which no single value can tell: the table and the wrappers name them by id.

Rules that no wrapper can decide are here as well, with who can.  None of them is ever reported by `LintWSGI`.
"""

from __future__ import annotations

from ._rule import WSGI

WSGI.table(
    """
W001 must server: `environ` is a builtin `dict`
    PEP 3333, The Application/Framework Side :: app(dict(environ), start_response)
W002 lint server: each request has a fresh environ, which the app may change
    PEP 3333, The Application/Framework Side :: environ = {**base, **request}
W014 should server, server check: request headers with `_` in their names are dropped: they could pass for others
    RFC 9110 section 17.10 :: if "_" in name: continue
W024 must server: `read(size)` gives at most that many bytes; `read()` gives the rest
    PEP 3333, Input and Error Streams :: environ["wsgi.input"] = io.BytesIO(body)
W025 must server: after the end every read gives `b""`
    PEP 3333, Input and Error Streams :: environ["wsgi.input"] = LimitedStream(raw, content_length)
W026 must server: `readline(size)` gives a line or its beginning, and `b""` only at the end
    PEP 3333, Input and Error Streams :: io.BufferedReader(raw).readline(size)
W027 must server: `readlines(hint)` gives a list of lines, with or without the hint
    PEP 3333, Input and Error Streams :: io.BufferedReader(raw).readlines(hint)
W028 must server: iterating over the input gives lines, and no `b""`
    PEP 3333, Input and Error Streams :: iter(io.BufferedReader(raw))
W029 should app: an app does not read past `CONTENT_LENGTH`
    PEP 3333, Input and Error Streams :: environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
W030 must app: an app does not close `wsgi.input`
    PEP 3333, Input and Error Streams :: leave the stream open
W031 lint app: of `wsgi.input` only `read`, `readline`, `readlines` and iteration are used (or `readinto`, `read1`)
    PEP 3333, Input and Error Streams :: io.BytesIO(environ["wsgi.input"].read(length)) for what seeks
W032 must server: a body cut short is an error, not the end
    PEP 3333, Input and Error Streams :: raise ConnectionResetError
W034 must app: `wsgi.errors` is written text, and not closed
    PEP 3333, Input and Error Streams :: environ["wsgi.errors"].write(str(error))
W035 must app: `start_response(status, headers, exc_info)` is called by position, with two or three arguments
    PEP 3333, The start_response() Callable :: start_response("200 OK", headers)
W044 must app: `start_response` is called before the first chunk, and in any case
    PEP 3333, The start_response() Callable :: start_response("200 OK", []) before the first yield
W045 must app: `start_response` is called again only with `exc_info`
    PEP 3333, The start_response() Callable :: start_response("500 Error", headers, sys.exc_info())
W047 must server: `start_response` with `exc_info` raises it once the head is out
    PEP 3333, The start_response() Callable :: raise exc_info[1].with_traceback(exc_info[2])
W048 must server, server check: the head is sent with the first non-empty chunk, not before
    PEP 3333, The start_response() Callable :: if chunk and not head_sent: send_head()
W049 must server: `start_response` returns the `write` callable
    PEP 3333, The write() Callable :: return self.write
W050 must app: `write()` is given bytes, and is not called from within the iterable
    PEP 3333, The write() Callable :: yield chunk
W051 must server, server check: what was written comes before the first chunk of the iterable
    PEP 3333, The write() Callable :: send written data at once
W052 lint app: the list of headers is not changed after `start_response`
    PEP 3333, The start_response() Callable :: start_response(status, list(headers))
W053 must app: an app returns an iterable of bytes: not None, not a `str`, not bytes
    PEP 3333, The Application/Framework Side :: return [body]
W055 must server: `close()` of the iterable is called exactly once, however the request ends
    PEP 3333, Specification Details :: finally: if hasattr(result, "close"): result.close()
W056 must middleware: `close()` is called on the iterable the app returned, not on its iterator
    PEP 3333, Specification Details :: iterable = app(environ, start_response); iterable.close()
W057 must server: the iterable is left alone after `close()`
    PEP 3333, Specification Details :: close() last
W058 must server, server check: a chunk is sent before the next is asked for
    PEP 3333, Buffering and Streaming :: send(chunk); flush()
W059 must middleware, two wrappers: a middleware yields at least `b""` each time its app yields
    PEP 3333, Middleware Handling of Block Boundaries :: for chunk in iterable: yield transform(chunk)
W060 must app: the chunks add up to `Content-Length`
    PEP 3333, Handling the Content-Length Header :: ("Content-Length", str(len(body)))
W061 must app: a response with status 1xx, 204 or 304 has no body
    RFC 9110 section 6.4.1 :: return []
W062 lint app, anysgi lint: HEAD is answered with the headers of GET
    RFC 9110 section 9.3.2 :: same headers, no body
W063 must server, server check: an empty iterable is a response too: its head is sent
    PEP 3333, Specification Details :: if not head_sent: send_head() after the loop
W064 must server: an app is called with exactly two arguments, by position
    PEP 3333, The Application/Framework Side :: app(environ, start_response)
W065 lint middleware, two wrappers: what moves from `PATH_INFO` to `SCRIPT_NAME` arrives there
    PEP 3333, environ Variables :: wsgiref.util.shift_path_info(environ)
W066 lint server, server check: an exception of the app is told once, to one log
    PEP 3333, Error Handling :: log it, or raise it
W067 lint server: calling, iterating and closing happen on one thread
    PEP 3333, Thread Support :: one thread a request
"""
)
