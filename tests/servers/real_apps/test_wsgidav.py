"""WsgiDAV: what a file manager does with a network folder."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import httpx
import pytest

APP, CONVENTION, READY = "wsgidav", "wsgi", "/"
pytestmark = [pytest.mark.slow, pytest.mark.server]

LOCK = """<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:">
<D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>me</D:owner></D:lockinfo>"""


def names(listing: httpx.Response) -> list[str]:
    assert listing.status_code == 207, listing.text
    return sorted(str(href.text) for href in ElementTree.fromstring(listing.content).iter("{DAV:}href"))


def test_files_are_written_listed_locked_moved_and_deleted(client: httpx.Client) -> None:
    big = bytes(range(256)) * 8000
    assert client.request("MKCOL", "/folder").status_code == 201
    assert client.put("/folder/a%C3%A4.txt", content=b"first").status_code == 201
    chunks = (big[at : at + 50_000] for at in range(0, len(big), 50_000))
    assert client.put("/folder/big.bin", content=chunks).status_code == 201
    listing = client.request("PROPFIND", "/folder/", headers={"Depth": "1"})
    assert names(listing) == ["/folder/", "/folder/a%C3%A4.txt", "/folder/big.bin"]
    assert client.get("/folder/big.bin").content == big
    part = client.get("/folder/big.bin", headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, big[1000:2000])

    locked = client.request("LOCK", "/folder/a%C3%A4.txt", content=LOCK, headers={"Timeout": "Second-60"})
    assert locked.status_code == 200
    token = locked.headers["Lock-Token"]
    assert client.put("/folder/a%C3%A4.txt", content=b"another's").status_code == 423
    assert client.put("/folder/a%C3%A4.txt", content=b"mine", headers={"If": f"({token})"}).status_code == 204
    assert client.request("UNLOCK", "/folder/a%C3%A4.txt", headers={"Lock-Token": token}).status_code == 204

    to = {"Destination": str(client.base_url.join("/moved.txt"))}
    assert client.request("MOVE", "/folder/a%C3%A4.txt", headers=to).status_code == 201
    assert client.get("/moved.txt").content == b"mine"
    assert client.delete("/folder/").status_code == 204
    assert names(client.request("PROPFIND", "/", headers={"Depth": "1"})) == ["/", "/moved.txt"]
    assert client.get("/folder/big.bin").status_code == 404


def test_the_folder_is_a_page_too_and_says_what_it_can(client: httpx.Client) -> None:
    client.put("/one.txt", content=b"1")
    assert re.search(r'href="[^"]*one.txt"', client.get("/").text)
    options = client.options("/one.txt")
    assert options.headers["DAV"].startswith("1,2")
    assert "LOCK" in options.headers["Allow"]
    head = client.head("/one.txt")
    assert (head.headers["Content-Length"], head.content) == ("1", b"")
    etag = head.headers["ETag"]
    assert client.get("/one.txt", headers={"If-None-Match": etag}).status_code == 304
