"""The tables of what matters in a move: names whose use is a fact about a handler.

Everything is told by names, so nothing here imports a framework or a driver.  A name ends at a dot: `requests.api`
covers `requests.api.get`.
"""

from __future__ import annotations

import functools

PROXIES = {
    ("flask.globals", "session"): "session",
    ("quart.globals", "session"): "session",
    ("flask.globals", "g"): "g",
    ("quart.globals", "g"): "g",
    ("flask.globals", "current_app"): "context",
    ("quart.globals", "current_app"): "context",
    ("flask_login.utils", "current_user"): "auth",
    ("flask_jwt_extended.utils", "current_user"): "auth",
    ("quart_auth.extension", "current_user"): "auth",
}
"""Context-bound globals, by the module and attribute they live in."""

USED = {
    "_thread._local": "threadlocal",
    "_threading_local.local": "threadlocal",
    "sqlalchemy.orm.scoping.scoped_session": "threadlocal",
    "sqlalchemy.ext.asyncio.scoping.async_scoped_session": "threadlocal",
    "pyramid.threadlocal": "threadlocal",
    "flask.helpers.stream_with_context": "stream",
    "flask.ctx.after_this_request": "context",
    "flask.ctx.copy_current_request_context": "context",
    "django.http.response.StreamingHttpResponse": "stream",
    "starlette.responses.StreamingResponse": "stream",
    "simple_websocket": "websocket",
    "flask_sock": "websocket",
    "flask_login": "auth",
    "flask_jwt_extended": "auth",
    "flask_httpauth": "auth",
    "flask_security": "auth",
    "quart_auth": "auth",
    "django.contrib.auth.decorators": "auth",
    "django.contrib.auth.mixins": "auth",
}
"""Objects that are a fact when they are mentioned, by their own name or that of their type, or wrap the handler."""

THREAD_IDS = ("_thread.get_ident", "threading.current_thread", "greenlet._greenlet.getcurrent")
"""What tells one thread from another, as the scope of a SQLAlchemy session."""

_PATHS = ("Path", "_local.Path", "_abc.PathBase")  # where Python 3.13 has their methods
_AT_ONCE = ("bind", "close", "fileno", "getsockname", "listen", "setblocking", "setsockopt", "settimeout")
_FILE_METHODS = ("open", "read_bytes", "read_text", "write_bytes", "write_text")

CALLED = {
    "time.sleep": "sleep",
    "requests.api": "http",
    "requests.sessions": "http",
    "urllib.request.urlopen": "http",
    "urllib.request.urlretrieve": "http",
    "urllib.request.OpenerDirector": "http",
    "urllib3": "http",
    "http.client": "http",
    "xmlrpc.client.ServerProxy": "http",
    "xmlrpc.client.Transport": "http",
    "httpx._api": "http",
    "httpx._client.Client": "http",
    "httpx2._api": "http",
    "httpx2._client.Client": "http",
    "boto3": "http",
    "boto3.dynamodb.conditions": "",
    "botocore.client": "http",
    "socket": "socket",
    "_socket": "socket",
    "ssl": "socket",
    "smtplib": "socket",
    "ftplib": "socket",
    "imaplib": "socket",
    "paramiko": "socket",
    "ldap3": "socket",
    **dict.fromkeys([f"{module}.socket.{method}" for module in ("socket", "_socket") for method in _AT_ONCE], ""),
    "select.select": "socket",
    "sqlite3": "database",
    "_sqlite3": "database",
    "psycopg2": "database",
    "psycopg.connection.Connection": "database",
    "psycopg.cursor.Cursor": "database",
    "MySQLdb": "database",
    "pymysql": "database",
    "oracledb": "database",
    "pyodbc": "database",
    "pymongo": "database",
    "redis.client": "database",
    "redis.commands": "database",
    "django.db.models.manager": "database",
    "django.db.models.query": "database",
    "django.db.models.base.Model.save": "database",
    "django.db.models.base.Model.delete": "database",
    "django.shortcuts.get_object_or_404": "database",
    "django.shortcuts.get_list_or_404": "database",
    "django.core.mail": "socket",
    "sqlalchemy.engine": "database",
    "sqlalchemy.orm.session": "database",
    "sqlalchemy.orm.query": "database",
    "sqlalchemy.orm.scoping": "database",
    "flask_sqlalchemy.model._QueryProperty": "database",
    "flask_sqlalchemy.query": "database",
    "peewee": "database",
    "subprocess": "process",
    **dict.fromkeys(
        [f"subprocess.{name}" for name in ("list2cmdline", "Popen.kill", "Popen.poll", "Popen.terminate")], ""
    ),
    "os.system": "process",
    "os.wait": "process",
    "posix.system": "process",
    "io.open": "file",
    "_io.open": "file",
    **dict.fromkeys([f"pathlib.{path}.{method}" for path in _PATHS for method in _FILE_METHODS], "file"),
    "shutil": "file",
    "queue.Queue.get": "lock",
    "queue.Queue.put": "lock",
    "queue.Queue.join": "lock",
    "threading.Event.wait": "lock",
    "threading.Thread.join": "lock",
    "concurrent.futures._base.Future.result": "lock",
}
"""Functions that make the calling thread wait, with what they wait for ("": for nothing); awaited ones never count."""

LOCKS = ("_thread.lock", "_thread.RLock", "threading.Condition", "threading.Semaphore", "threading.Barrier")
"""Types whose objects make the thread wait when they are entered or acquired."""

REQUEST = {"session": "session", "files": "upload", "FILES": "upload"}
"""Attributes of whatever is called `request`."""


@functools.cache
def look_up(name: str, table_name: str) -> str | None:
    """Find a dotted name, or the longest part of it, in `USED` or `CALLED`."""
    table = {"used": USED, "called": CALLED}[table_name]
    while name:
        if name in table:
            return table[name]
        name = name.rpartition(".")[0]
    return None
