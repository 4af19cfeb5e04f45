"""The routes of `waiting` as a FastAPI app may have them: on a thread, or on the loop, where some do not belong."""

import asyncio
import threading
import time

from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from .waiting import burn

app = FastAPI(openapi_url=None)


@app.get("/awaits")
async def awaits() -> str:
    await asyncio.sleep(0.005)
    return ""


@app.get("/thread")
def thread() -> str:
    time.sleep(0.005)
    return ""


@app.get("/sleeps")
async def sleeps() -> str:
    time.sleep(0.005)
    return ""


@app.get("/listens")
async def listens() -> bool:
    return threading.Event().wait(0.005)


@app.get("/computes")
async def computes() -> str:
    burn(0.03)
    return ""


@app.get("/fails")
async def fails() -> str:
    raise LookupError


@app.get("/account")
async def account() -> RedirectResponse:
    return RedirectResponse("/login?next=/account")
