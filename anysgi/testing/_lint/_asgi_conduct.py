"""The ASGI rules about order and conduct, which no single value can tell: the tables and the wrapper name them by id.

Rules that no wrapper can decide are here as well, with who can.  None of them is ever reported by `LintASGI`.
"""

from __future__ import annotations

from ._rule import ASGI

ASGI.table(
    """
A001 must server: the scope is a `dict`
    ASGI, Connection Scope :: await app(dict(scope), receive, send)
A007 must server: an app is called once for each connection or request
    ASGI, Applications :: await app(new_scope, receive, send)
A008 must server: `receive()` and `send(event)` are callables whose results can be awaited
    ASGI, Applications :: async def send(event): ...
A009 must app: an app is one async callable: `async def app(scope, receive, send)`
    ASGI, Applications :: async def app(scope, receive, send): ...
A010 should app: an app returns None
    ASGI, Applications :: await response(scope, receive, send)
A011 must app: an app rejects a scope type it does not understand, with an exception
    ASGI, Protocol Specifications :: assert scope["type"] == "http"
A012 must server, server check: an app that rejects `lifespan` is served without it
    ASGI Lifespan, Scope :: except Exception: continue without lifespan
A013 must middleware, two wrappers: a middleware copies the scope before it changes it
    ASGI, Middleware :: await app({**scope, "path": path}, receive, send)
A014 must middleware, two wrappers: a middleware leaves the scope alone once it handed control on
    ASGI, Middleware :: scope = {**scope, "user": user} before the call
A015 lint server: connections share no mutable part of their scopes, but for the values in `state`
    ASGI, Connection Scope :: "headers": list(headers)
A016 must server: each request on a connection has a scope of its own
    ASGI HTTP & WebSocket, HTTP :: scope = {**connection_scope, "path": path}
A017 must both: every event is a `dict` with a `type`, a `str`
    ASGI, Events :: await send({"type": "http.response.body", "body": b"..."})
A020 must server: a message of unknown type or with values of wrong types raises out of `send()`
    ASGI, Error Handling :: raise TypeError(...) in send()
A021 should app: an app raises when it receives an invalid event
    ASGI, Error Handling :: raise ValueError(event["type"])
A022 must app, anysgi lint: additional keys in events are ignored
    ASGI, Error Handling :: event.get("body", b"")
A023 must server, server check: after an exception of the app its connection is terminated
    ASGI, Error Handling :: transport.abort()
A024 must server: `send()` on a closed connection does nothing, or raises an `OSError`
    ASGI, Error Handling :: class ClientDisconnected(OSError): ...
A025 lint app: only one `receive()` waits at a time; servers wake only one
    ASGI, Events :: one task that receives
A026 lint app: only one `send()` runs at a time; concurrent ones may change places
    ASGI, Events :: async with lock: await send(event)
A027 must app: `receive` and `send` are not used after the app returned
    ASGI, Connection Scope :: await the task before returning
A028 lint app: a body handed over is not changed afterwards: a server may still hold it
    ASGI, Events :: await send({"type": "http.response.body", "body": bytes(buffer)})
A042 must server, server check: repeated headers are all there, in order
    ASGI HTTP & WebSocket, HTTP Connection Scope :: "headers": every header line as it came
A050 lint server: the body events add up to the request's `content-length`
    ASGI HTTP & WebSocket, Request :: {"type": "http.disconnect"} for a body cut short
A054 must server: no `http.request` follows the one whose `more_body` is false
    ASGI HTTP & WebSocket, Request :: {"type": "http.disconnect"}
A055 must server: `receive()` after the body waits for the disconnect or the end of the response
    ASGI HTTP & WebSocket, Disconnect :: await disconnected.wait()
A056 must server: after `http.disconnect` comes no `http.request`
    ASGI HTTP & WebSocket, Disconnect :: {"type": "http.disconnect"}
A057 must app, anysgi lint: an app reads on until `more_body` is false
    ASGI HTTP & WebSocket, Request :: while event.get("more_body", False): event = await receive()
A058 must app: a disconnect in mid-body is no end of the body
    ASGI HTTP & WebSocket, Disconnect :: if event["type"] == "http.disconnect": return
A059 should app, anysgi lint: empty chunks with `more_body` true are no end of the body
    ASGI HTTP & WebSocket, Request :: while event.get("more_body", False): event = await receive()
A060 lint app, anysgi lint: an endless response ends when its client leaves
    ASGI HTTP & WebSocket, Disconnect :: a task that waits for http.disconnect
A061 must app: an app responds, and its first message is `http.response.start`
    ASGI HTTP & WebSocket, Response Start :: await send({"type": "http.response.start", "status": 200, "headers": []})
A062 must app: there is exactly one `http.response.start`
    ASGI HTTP & WebSocket, Response Start :: one start, then bodies
A069 must server, server check: the order of response headers is kept
    ASGI HTTP & WebSocket, Response Start :: write headers as they come
A071 must app: the start is followed by at least one `http.response.body`
    ASGI HTTP & WebSocket, Response Start :: await send({"type": "http.response.body"})
A074 must app: a response ends with a body whose `more_body` is false
    ASGI HTTP & WebSocket, Response Body :: await send({"type": "http.response.body"})
A075 lint app: nothing is sent once the response is complete
    ASGI HTTP & WebSocket, Response Body :: "more_body": True on all bodies but the last
A076 must server, server check: a body is in the send buffer before `send()` returns
    ASGI HTTP & WebSocket, Response Body :: transport.write(body) in send()
A077 lint app, anysgi lint: an app does not wait for its client between the start and the first body
    ASGI HTTP & WebSocket, Response Start :: await send({"type": "http.response.body", "more_body": True})
A079 lint app: the bodies add up to the response's `content-length`
    RFC 9110 section 8.6 :: (b"content-length", b"%d" % len(body))
A083 should server: from spec version 2.4 on, `send()` on a closed connection raises an `OSError`
    ASGI HTTP & WebSocket, Disconnected Client :: raise ClientDisconnected in send()
A084 should app: an app that catches the `OSError` of `send()` stops sending
    ASGI HTTP & WebSocket, Disconnected Client :: except OSError: return
A085 must server, server check: the `OSError` a server raised is not logged as an error
    ASGI HTTP & WebSocket, Disconnected Client :: except ClientDisconnected: pass
A086 should app: an app stops sending once it received `http.disconnect`
    ASGI HTTP & WebSocket, Disconnect :: if event["type"] == "http.disconnect": return
A090 must server: the first event is `websocket.connect`, and it comes once
    ASGI HTTP & WebSocket, Connect :: {"type": "websocket.connect"}
A091 must app: `websocket.connect` is answered by exactly one of accept, close and a denial, before anything else
    ASGI HTTP & WebSocket, Connect :: await receive(); await send({"type": "websocket.accept"})
A092 must server: no `websocket.receive` comes before the accept
    ASGI HTTP & WebSocket, Connect :: deliver messages after websocket.accept
A097 must server, server check: messages arrive whole; fragments, pings and pongs are the server's
    ASGI HTTP & WebSocket, WebSocket :: join the fragments
A101 must server, server check: a close before the accept is answered with 403
    ASGI HTTP & WebSocket, Close :: HTTP/1.1 403 Forbidden
A102 must app: nothing is sent after the close or the disconnect
    ASGI HTTP & WebSocket, Disconnected Client :: return after websocket.close or websocket.disconnect
A103 must server: no `websocket.receive` comes after `websocket.disconnect`
    ASGI HTTP & WebSocket, Disconnect :: {"type": "websocket.disconnect", "code": 1005}
A104 lint app: an accepted socket is closed before the app returns; else each server picks a code of its own
    ASGI HTTP & WebSocket, Websocket Connection Scope :: await send({"type": "websocket.close"})
A107 must server: `lifespan.startup` comes first and once, and no request before it is answered
    ASGI Lifespan, Startup :: {"type": "lifespan.startup"}
A108 must app: startup is answered by exactly one of complete and failed
    ASGI Lifespan, Startup Complete :: await send({"type": "lifespan.startup.complete"})
A109 must app: an app receives before it answers
    ASGI Lifespan, Startup :: event = await receive()
A111 must server: a server exits after `lifespan.startup.failed`
    ASGI Lifespan, Startup Failed :: log the message, and exit
A112 must server, server check: a server goes on without lifespan when the app raises
    ASGI Lifespan, Scope :: except Exception: continue without lifespan
A113 must server: `lifespan.shutdown` comes once, after the startup was complete
    ASGI Lifespan, Shutdown :: {"type": "lifespan.shutdown"}
A114 must app: shutdown is answered by exactly one of complete and failed, and the app stays until then
    ASGI Lifespan, Shutdown Complete :: await send({"type": "lifespan.shutdown.complete"})
A115 must server: the server waits for the answer to shutdown
    ASGI Lifespan, Shutdown Complete :: await shutdown_answered.wait()
A116 must server: lifespan and requests run on the same event loop
    ASGI Lifespan, Scope :: one loop for both
A117 must server: each request gets a shallow copy of the lifespan's `state`
    ASGI Lifespan, Scope :: "state": lifespan_state.copy()
A118 lint app: an unknown lifespan event is ignored, or raises; Starlette takes any for the shutdown
    ASGI Lifespan, Lifespan Protocol :: elif event["type"] == "lifespan.shutdown": ...
A120 must app: a denial response comes after connect and before accept or close, and no other message follows
    ASGI Extensions, Websocket Denial Response :: {"type": "websocket.http.response.start", "status": 403}
A122 must server, server check: a push is a request of its own, with the `:authority` of the one it came from
    ASGI Extensions, HTTP/2 Server Push :: asyncio.create_task(app(pushed_scope, receive, send))
A124 lint app: the app closes the file it handed to `zerocopysend`
    ASGI Extensions, Zero Copy Send :: with open(path, "rb") as file: await send(...)
A125 must app: a `zerocopysend` with `more_body` is followed by a last body
    ASGI Extensions, Zero Copy Send :: "more_body": False
A127 lint app: an app that sends a path gives `content-type` and `content-length` itself
    ASGI Extensions, Path Send :: (b"content-length", b"%d" % path.stat().st_size)
A129 ambiguous app: an early hint comes after the start, says the spec; a 103 comes before the head, says HTTP
    ASGI Extensions, Early Hints :: before or after the start, as the server documents
"""
)
