"""pypiserver: a package is uploaded as twine does it, and installed by a real pip."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pytest

from .._process import Server

APP, CONVENTION, READY = "pypiserver", "wsgi", "/"
pytestmark = [pytest.mark.slow, pytest.mark.server]

PIP = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-cache-dir", "--disable-pip-version-check"]
WHEEL = "tiny_package-1.0-py3-none-any.whl"
METADATA = "Metadata-Version: 2.1\nName: tiny-package\nVersion: 1.0\n"
KIND = "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def wheel() -> bytes:
    files = {
        "tiny_package.py": "answer = 42\n",
        "tiny_package-1.0.dist-info/METADATA": METADATA,
        "tiny_package-1.0.dist-info/WHEEL": KIND,
    }
    rows = [f"{name},sha256={digest(text)},{len(text)}" for name, text in files.items()]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr(
            "tiny_package-1.0.dist-info/RECORD", "\n".join([*rows, "tiny_package-1.0.dist-info/RECORD,,\n"])
        )
    return made.getvalue()


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def upload(client: httpx.Client) -> httpx.Response:
    fields = {":action": "file_upload", "protocol_version": "1", "name": "tiny-package", "version": "1.0"}
    return client.post("/", data=fields, files={"content": (WHEEL, wheel(), "application/octet-stream")})


def test_a_package_is_uploaded_and_installed(client: httpx.Client, server: Server, tmp_path: Path) -> None:
    assert upload(client).status_code == 200
    assert upload(client).status_code == 409, "it is there already"
    assert WHEEL in client.get("/simple/tiny-package/").text
    target = tmp_path / "installed"
    index = f"http://127.0.0.1:{server.port}/simple"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    done = subprocess.run(
        [*PIP, "--index-url", index, "--target", str(target), "tiny-package"],
        env=environ | {"PIP_CONFIG_FILE": os.devnull, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (target / "tiny_package.py").read_text() == "answer = 42\n"


def test_what_is_not_there_is_not_found(client: httpx.Client) -> None:
    assert client.get("/simple/no-such-package/").status_code == 404
    missing = client.get("/simple", follow_redirects=True)
    assert missing.status_code == 200
