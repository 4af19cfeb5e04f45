"""The five layers of `middleware` written by hand, once per convention, and what people write in their place.

They are as short as they can be: no header is checked, and native lists are changed in place, so that an app which
sends the same list twice would find it grown.  The ones on `MutableHeaders` and on wsgiref's `Headers` are what the
guides of Starlette and of Python show.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any
from wsgiref.headers import Headers

from starlette.datastructures import MutableHeaders
from starlette.middleware.base import BaseHTTPMiddleware

HOSTS = frozenset(["testserver"])
FIXED = [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"), ("referrer-policy", "same-origin")]
FIXED_BYTES = [(name.encode(), value.encode()) for name, value in FIXED]

# ASGI


class Hand:
    def __init__(self, app: Any) -> None:
        self.app = app


class Hosts(Hand):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        for name, value in scope["headers"]:
            if name == b"host" and value.decode("latin-1") in HOSTS:
                await self.app(scope, receive, send)
                return
        await send({"type": "http.response.start", "status": 400, "headers": []})
        await send({"type": "http.response.body"})


class Identified(Hand):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"made")

        async def add(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-request-id", given))
            await send(message)

        await self.app(scope, receive, add)


class Timed(Hand):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()

        async def add(message: Any) -> None:
            if message["type"] == "http.response.start":
                text = f"total;dur={(perf_counter() - started) * 1e3:.1f}"
                message["headers"].append((b"server-timing", text.encode("latin-1")))
            await send(message)

        await self.app(scope, receive, add)


class Fixed(Hand):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def add(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].extend(FIXED_BYTES)
            await send(message)

        await self.app(scope, receive, add)


class Default(Hand):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def add(message: Any) -> None:
            if message["type"] == "http.response.start" and not any(
                name == b"cache-control" for name, _ in message["headers"]
            ):
                message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        await self.app(scope, receive, add)


# WSGI

Wsgi = Callable[[Any, Any], Any]


def wsgi_hosts(app: Wsgi) -> Wsgi:
    def call(environ: Any, start_response: Any) -> Any:
        if environ.get("HTTP_HOST") not in HOSTS:
            start_response("400 Bad Request", [])
            return []
        return app(environ, start_response)

    return call


def wsgi_adding(make: Callable[[Any], Callable[[Any], object]]) -> Callable[[Wsgi], Wsgi]:
    """A closure that has `make(environ)` change the response's list."""

    def wrap(app: Wsgi) -> Wsgi:
        def call(environ: Any, start_response: Any) -> Any:
            change = make(environ)

            def start(status: str, headers: Any, exc_info: Any = None) -> Any:
                change(headers)
                return start_response(status, headers, exc_info)

            return app(environ, start)

        return call

    return wrap


def wsgi_identified(environ: Any) -> Callable[[Any], object]:
    given = environ.get("HTTP_X_REQUEST_ID", "made")
    return lambda headers: headers.append(("x-request-id", given))


def wsgi_timed(environ: Any) -> Callable[[Any], object]:
    started = perf_counter()
    return lambda headers: headers.append(("server-timing", f"total;dur={(perf_counter() - started) * 1e3:.1f}"))


def wsgi_fixed(environ: Any) -> Callable[[Any], object]:
    return lambda headers: headers.extend(FIXED)


def wsgi_default(environ: Any) -> Callable[[Any], object]:
    def change(headers: Any) -> None:
        if not any(name.lower() == "cache-control" for name, _ in headers):
            headers.append(("cache-control", "no-store"))

    return change


def by_hand(convention: str, app: Any) -> Any:
    if convention == "asgi":
        return Hosts(Identified(Timed(Fixed(Default(app)))))
    for make in (wsgi_default, wsgi_fixed, wsgi_timed, wsgi_identified):
        app = wsgi_adding(make)(app)
    return wsgi_hosts(app)


# With the header classes that the guides show; four of the five, around the hosts above


class Guide(Hand):
    """One change to the response's headers, which `make(scope)` prepares."""

    def __init__(self, app: Any, make: Callable[[Any], Callable[[Any], object]]) -> None:
        super().__init__(app)
        self.make = make

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        change = self.make(dict(scope["headers"]))

        async def add(message: Any) -> None:
            if message["type"] == "http.response.start":
                change(MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, receive, add)


def guide_wsgi(make: Callable[[Any], Callable[[Any], object]]) -> Callable[[Wsgi], Wsgi]:
    def made(environ: Any) -> Callable[[Any], object]:
        change = make(environ)
        return lambda headers: change(Headers(headers))

    return wsgi_adding(made)


def put(headers: Any, name: str, value: str) -> None:
    headers[name] = value


def changes(get_id: Callable[[Any], str]) -> list[Callable[[Any], Callable[[Any], object]]]:
    """Innermost first."""

    def timed(request: Any) -> Callable[[Any], object]:
        started = perf_counter()
        return lambda headers: put(headers, "server-timing", f"total;dur={(perf_counter() - started) * 1e3:.1f}")

    def identified(request: Any) -> Callable[[Any], object]:
        given = get_id(request)
        return lambda headers: put(headers, "x-request-id", given)

    return [
        lambda request: lambda headers: headers.setdefault("cache-control", "no-store"),
        lambda request: lambda headers: [put(headers, *field) for field in FIXED],
        timed,
        identified,
    ]


def by_the_guide(convention: str, app: Any) -> Any:
    if convention == "asgi":
        for make in changes(lambda headers: headers.get(b"x-request-id", b"made").decode("latin-1")):
            app = Guide(app, make)
        return Hosts(app)
    for make in changes(lambda environ: environ.get("HTTP_X_REQUEST_ID", "made")):
        app = guide_wsgi(make)(app)
    return wsgi_hosts(app)


def by_starlette(app: Any) -> Any:
    """Five times nothing but a header: the cheapest five there can be."""

    async def dispatch(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["x-request-id"] = "made"
        return response

    for _ in range(5):
        app = BaseHTTPMiddleware(app, dispatch)
    return app
