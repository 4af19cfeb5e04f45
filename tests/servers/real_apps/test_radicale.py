"""Radicale: what a calendar on a phone does."""

from __future__ import annotations

from xml.etree import ElementTree

import httpx
import pytest

APP, CONVENTION, READY = "radicale", "wsgi", "/.web/"
pytestmark = [pytest.mark.slow, pytest.mark.server]

CALENDAR = """<?xml version="1.0"?><C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
<D:set><D:prop><D:displayname>Büro</D:displayname></D:prop></D:set></C:mkcalendar>"""
EVENT = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//a phone//\r
BEGIN:VEVENT\r
UID:one\r
DTSTAMP:20260101T000000Z\r
DTSTART:20260{month}03T100000Z\r
DTEND:20260{month}03T110000Z\r
SUMMARY:Zahnärztin\r
END:VEVENT\r
END:VCALENDAR\r
"""
QUERY = """<?xml version="1.0"?><C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
<D:prop><D:getetag/><C:calendar-data/></D:prop>
<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">
<C:time-range start="20260301T000000Z" end="20260401T000000Z"/>
</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"""
NAME = """<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop><D:displayname/></D:prop></D:propfind>"""


def texts(reply: httpx.Response, tag: str) -> list[str]:
    assert reply.status_code == 207, reply.text
    return [str(item.text) for item in ElementTree.fromstring(reply.content).iter(tag)]


def test_a_calendar_is_made_filled_asked_and_emptied(client: httpx.Client) -> None:
    client.auth = httpx.BasicAuth("me", "secret")
    assert client.request("MKCALENDAR", "/me/work/", content=CALENDAR.encode()).status_code == 201
    assert texts(client.request("PROPFIND", "/me/work/", content=NAME), "{DAV:}displayname") == ["Büro"]
    event = EVENT.format(month=3).encode()
    headers = {"Content-Type": "text/calendar; charset=utf-8"}
    made = client.put("/me/work/one.ics", content=event, headers=headers | {"If-None-Match": "*"})
    assert made.status_code == 201
    assert client.put("/me/work/one.ics", content=event, headers=headers | {"If-None-Match": "*"}).status_code == 412
    found = client.request("REPORT", "/me/work/", content=QUERY, headers={"Depth": "1"})
    assert texts(found, "{DAV:}href") == ["/me/work/one.ics"]
    assert "SUMMARY:Zahnärztin" in texts(found, "{urn:ietf:params:xml:ns:caldav}calendar-data")[0]

    moved = client.put("/me/work/one.ics", content=EVENT.format(month=5).encode(), headers=headers)
    assert moved.is_success
    assert moved.headers["ETag"] != made.headers["ETag"]
    assert texts(client.request("REPORT", "/me/work/", content=QUERY, headers={"Depth": "1"}), "{DAV:}href") == []
    assert client.delete("/me/work/one.ics", headers={"If-Match": moved.headers["ETag"]}).status_code == 200
    assert client.get("/me/work/one.ics").status_code == 404


def test_a_stranger_is_asked_who_it_is(client: httpx.Client) -> None:
    refused = client.request("PROPFIND", "/me/")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic")
    assert client.get("/me/work/one.ics", auth=("me", "wrong")).status_code == 401
