"""What a package's source distribution has and the installed package has not: its tests, its examples."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

CACHE = Path(__file__).parent.parent.parent / "build" / "suites"


def folder(package: str) -> Path:
    """Where the files of the installed version are, once they were fetched."""
    return CACHE / f"{package}-{version(package)}"


def fetch(package: str, *wanted: str) -> None:
    """Download the source distribution, and keep files of it, and folders whose name ends with a slash.

    The first of `wanted` tells whether they are here already.
    """
    if (folder(package) / wanted[0]).exists():
        return
    with TemporaryDirectory() as temporary:
        only = ["--no-deps", "--no-binary", package, f"{package}=={version(package)}"]
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "-d", temporary, *only], check=True)
        (archive,) = Path(temporary).glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4 on knows it
            tar.extractall(CACHE, [item for item in tar if _inside(item.name).startswith(wanted)])


def _inside(name: str) -> str:
    return name.partition("/")[2]
