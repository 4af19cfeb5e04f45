"""One API in both of Falcon's dialects, as its documentation pairs them: responders, middleware, media, a sink."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import falcon
import falcon.asgi

NOTES = {1: {"id": 1, "text": "Ünï", "tags": ["a", "b"]}, 2: {"id": 2, "text": "two", "tags": []}}
LINES = [b"one\n", b"two\n", b"three\n"]


def find(number: int) -> dict[str, Any]:
    if number not in NOTES:
        raise falcon.HTTPNotFound(title="No such note", description=f"There are {len(NOTES)} notes.")
    return NOTES[number]


def listed(req: Any, resp: Any) -> None:
    limit = req.get_param_as_int("limit", min_value=1) or len(NOTES)
    resp.media = [*NOTES.values()][:limit]
    resp.set_header("X-Total", str(len(NOTES)))
    resp.cache_control = ["private", "max-age=60"]
    resp.append_header("Vary", "Accept-Language")


def shown(resp: Any, number: int) -> None:
    resp.media = find(number)
    resp.etag = f"note-{number}"
    resp.set_cookie("last", str(number), max_age=60, path="/notes", secure=False)


def refused(req: Any) -> None:
    if req.path.startswith("/private") and not req.auth:
        raise falcon.HTTPUnauthorized(title="Who are you?", challenges=['Token type="note"'])


def echoed(resp: Any, media: Any) -> None:
    resp.media, resp.status, resp.location = {"got": media}, falcon.HTTP_201, "/notes/3"


def lost(req: Any, resp: Any) -> None:
    resp.text, resp.content_type, resp.status = f"nothing at {req.path}", falcon.MEDIA_TEXT, falcon.HTTP_410


class Signed:
    def process_request(self, req: Any, resp: Any) -> None:
        refused(req)

    def process_response(self, req: Any, resp: Any, resource: Any, succeeded: bool) -> None:
        resp.set_header("X-Succeeded", str(succeeded))

    async def process_request_async(self, req: Any, resp: Any) -> None:
        refused(req)

    async def process_response_async(self, req: Any, resp: Any, resource: Any, succeeded: bool) -> None:
        resp.set_header("X-Succeeded", str(succeeded))


class Notes:
    def on_get(self, req: Any, resp: Any) -> None:
        listed(req, resp)

    def on_post(self, req: Any, resp: Any) -> None:
        echoed(resp, req.get_media())


class Note:
    def on_get(self, req: Any, resp: Any, number: int) -> None:
        shown(resp, number)

    def on_delete(self, req: Any, resp: Any, number: int) -> None:
        resp.status = falcon.HTTP_204


class Lines:
    def on_get(self, req: Any, resp: Any) -> None:
        resp.content_type, resp.stream = falcon.MEDIA_TEXT, self.lines()

    def lines(self) -> Iterator[bytes]:
        yield from LINES


class Moved:
    def on_get(self, req: Any, resp: Any) -> None:
        raise falcon.HTTPMovedPermanently("/notes")


class AsyncNotes:
    async def on_get(self, req: Any, resp: Any) -> None:
        listed(req, resp)

    async def on_post(self, req: Any, resp: Any) -> None:
        echoed(resp, await req.get_media())


class AsyncNote:
    async def on_get(self, req: Any, resp: Any, number: int) -> None:
        shown(resp, number)

    async def on_delete(self, req: Any, resp: Any, number: int) -> None:
        resp.status = falcon.HTTP_204


class AsyncLines:
    async def on_get(self, req: Any, resp: Any) -> None:
        resp.content_type, resp.stream = falcon.MEDIA_TEXT, self.lines()

    async def lines(self) -> AsyncIterator[bytes]:
        for line in LINES:
            yield line


class AsyncMoved:
    async def on_get(self, req: Any, resp: Any) -> None:
        raise falcon.HTTPMovedPermanently("/notes")


async def lost_async(req: Any, resp: Any) -> None:
    lost(req, resp)


def make_wsgi() -> Any:
    return _routed(falcon.App(middleware=[Signed()]), Notes(), Note(), Lines(), Moved(), lost)


def make_asgi() -> Any:
    app = falcon.asgi.App(middleware=[Signed()])
    return _routed(app, AsyncNotes(), AsyncNote(), AsyncLines(), AsyncMoved(), lost_async)


def _routed(app: Any, notes: Any, note: Any, lines: Any, moved: Any, sink: Any) -> Any:
    app.add_route("/notes", notes)
    app.add_route("/notes/{number:int}", note)
    app.add_route("/lines", lines)
    app.add_route("/old", moved)
    app.add_route("/private/notes", notes)
    app.add_sink(sink, r"/lost/.*")
    return app
