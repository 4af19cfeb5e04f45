"""`python -m apps.mod_wsgi_run PORT FOLDER`: Apache with mod_wsgi, as `mod_wsgi-express` sets it up, in the foreground.

Apache does not serve as root.  Root, as CI is, therefore becomes somebody else in a user namespace of its own, who may
still read what root may.
"""

from __future__ import annotations

import os
import sys

port, folder = sys.argv[1:]
command = [
    *(sys.executable, "-m", "mod_wsgi.express.cli", "start-server", "apps.wrapped", "--application-type", "module"),
    *("--port", port, "--server-root", f"{folder}/apache", "--log-to-terminal", "--chunked-request"),
    *("--python-path", os.environ["PYTHONPATH"].rpartition(os.pathsep)[2], "--locale", "C.UTF-8"),
]
if os.geteuid() == 0:
    command = ["unshare", "--user", "--map-user=33", "--map-group=33", *command]
os.execvp(command[0], command)
