"""`python -m tests.servers.cells`: run every cell, write `results.json`, renew the tables in the README and the docs.

`--write` alone renews the tables from the results there are, as after a change of a reason.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ._table import RESULTS, collect, write

if "--write" not in sys.argv:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-m", "slow", str(Path(__file__).parent)]
        if code := subprocess.run(command, env=os.environ | {"ANYSGI_CELLS": folder}).returncode:
            sys.exit(code)
        RESULTS.write_text(json.dumps(collect(Path(folder)), indent=1) + "\n", encoding="utf-8")
write(json.loads(RESULTS.read_text(encoding="utf-8")))
