"""A FastAPI shop that takes orders, and refuses what its own OpenAPI document does not describe."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import FastAPI, Header
from pydantic import BaseModel, Field


class Part(BaseModel):
    sort: Literal["tea", "coffee"]
    parts: list["Part"] = Field(default_factory=list)


class Order(BaseModel):
    name: str
    at: datetime
    parts: list[Part] = Field(min_length=2)
    paid: bool | None
    note: str = ""


app = FastAPI()


@app.get("/users/{user_id}/orders")
async def orders(user_id: int, kind: str, page: int = 1) -> None: ...


@app.post("/users/{user_id}/orders")
async def create(user_id: int, order: Order, x_token: str = Header()) -> int:
    return len(order.parts)


@app.delete("/users/{user_id}")
async def remove(user_id: UUID) -> None: ...
