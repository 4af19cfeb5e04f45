"""The fixture `server`: the test module's APP, served each of the three ways, in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from .._process import Server, running

SERVED = "real_apps.served:application"
COMMANDS = {
    "asgi": ["-m", "uvicorn", SERVED, "--fd", "{fd}", "--timeout-graceful-shutdown", "3", "--no-access-log"],
    "wsgi": [
        *("-W", "ignore:unclosed <socket:ResourceWarning"),  # gunicorn's own
        *("-m", "gunicorn", SERVED, "--bind", "fd://{fd}", "--graceful-timeout", "3", "--no-control-socket"),
        *("--worker-class", "gthread", "--threads", "4"),
    ],
}


@pytest.fixture(scope="module", params=["native", "asgi-server", "wsgi-server"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """APP says what is served; CONVENTION what it speaks; READY is what it answers with 200."""
    module, way = request.module, request.param
    speaks = module.CONVENTION if way == "native" else way.partition("-")[0]
    environ = {"REAL_APP": module.APP, "REAL_WAY": way}
    folder = tmp_path_factory.mktemp(module.APP)
    with running(f"{module.APP}-{way}", COMMANDS[speaks], environ, folder, module.READY) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=15, trust_env=False) as client:
        yield client
