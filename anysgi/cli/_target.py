"""What servers import: `anysgi.cli._target:app` is the user's app, adapted, made from the options in the environment.

Importing this makes the app, so nothing else may import it.  In the process of `anysgi serve` it is the app that was
loaded there; in a worker process, forked or spawned, it is a new one.
"""

from ._build import app_for_this_process

app = app_for_this_process()
