"""A FastAPI app for the tests of `anysgi serve`; its lifespan leaves its traces in the file $TRACES."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request, Response


def trace(what: str) -> None:
    if "TRACES" in os.environ:
        with Path(os.environ["TRACES"]).open("a") as file:
            file.write(f"{what}\n")


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    if os.environ.get("TRACES") == "refuse":
        raise RuntimeError("the database is away")
    trace("startup")
    yield
    trace("shutdown")


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def index() -> str:
    trace("request")
    return "fastapi"


@app.post("/echo")
async def echo(request: Request) -> Response:
    return Response(await request.body(), media_type="application/octet-stream")


@app.get("/pid")
async def pid() -> int:
    return os.getpid()
