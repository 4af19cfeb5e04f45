"""An ordinary FastAPI app, as one would write it for uvicorn."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse

app = FastAPI(title="Coffee shop")

PRODUCTS = {
    1: {"name": "Moka pot", "price": 32},
    2: {"name": "Grinder", "price": 85},
    3: {"name": "Filters", "price": 4},
}


@app.get("/products")
async def products(request: Request) -> list[dict[str, object]]:
    """List the shop's products, with links that know where the app is mounted."""
    return [{**product, "url": request.url_for("product", key=key).path} for key, product in PRODUCTS.items()]


@app.get("/products/{key}")
async def product(key: int) -> dict[str, object]:
    """Show one product, or 404."""
    if key not in PRODUCTS:
        raise HTTPException(404)
    return dict(PRODUCTS[key])


@app.post("/orders", status_code=201)
async def order(lines: dict[int, int]) -> dict[str, int]:
    """Price an order: `{"1": 2, "3": 1}` is two moka pots and a pack of filters."""
    return {"total": sum(int(PRODUCTS[key]["price"]) * count for key, count in lines.items())}


@app.get("/brew")
async def brew() -> StreamingResponse:
    """Stream the brewing of a cup of coffee, one step at a time, from an async generator."""

    async def steps() -> AsyncIterator[str]:
        for step in ("grind the beans", "fill the water", "add the coffee", "heat", "listen", "serve"):
            yield f"{step}\n"
            await asyncio.sleep(0.35)

    return StreamingResponse(steps(), media_type="text/plain")
