"""An ordinary Flask app, as one would write it for gunicorn.  It knows nothing of ASGI, nor of anysgi."""

import time
from collections.abc import Iterator

from flask import Flask, Response, abort, jsonify, request, url_for

app = Flask(__name__)

PRODUCTS = {1: {"name": "Teapot", "price": 24}, 2: {"name": "Kettle", "price": 39}, 3: {"name": "Strainer", "price": 6}}


@app.get("/products")
def products() -> Response:
    """List the shop's products, with links that know where the app is mounted."""
    return jsonify([{**product, "url": url_for("product", key=key)} for key, product in PRODUCTS.items()])


@app.get("/products/<int:key>")
def product(key: int) -> Response:
    """Show one product, or 404."""
    return jsonify(PRODUCTS.get(key) or abort(404))


@app.post("/orders")
def order() -> tuple[Response, int]:
    """Price an order: `{"1": 2, "3": 1}` is two teapots and a strainer."""
    return jsonify(total=sum(PRODUCTS[int(key)]["price"] * count for key, count in request.get_json().items())), 201


@app.get("/brew")
def brew() -> Response:
    """Stream the brewing of a pot of tea, one step at a time, from a plain generator."""

    def steps() -> Iterator[str]:
        for step in ("boil the water", "warm the pot", "add the leaves", "pour", "wait", "serve"):
            yield f"{step}\n"
            time.sleep(0.35)

    return Response(steps(), mimetype="text/plain")
