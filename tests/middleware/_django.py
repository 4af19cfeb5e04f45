"""Django, set up once for all tests of a process."""

from __future__ import annotations

import asyncio

import django
from asgiref.sync import sync_to_async
from django.conf import settings


def set_up_django() -> None:
    if not settings.configured:
        settings.configure(SECRET_KEY="for tests only", ALLOWED_HOSTS=["*"], USE_TZ=True)
        django.setup()

    async def warm() -> None:
        await sync_to_async(int)()  # its thread stays for good: not left behind by one of the tests

    asyncio.run(warm())
