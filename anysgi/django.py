"""`MIDDLEWARE = ["anysgi.django.stack"]`: a stack of layers as one entry of a Django project's middleware.

# settings.py
MIDDLEWARE = ["anysgi.django.stack", ...]
ANYSGI = {"STACK": "project.http.stack"}

# project/http.py
from anysgi.middleware import Stack, request_id, security_headers

stack = Stack(request_id(), security_headers())
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .exceptions import StackError
from .middleware import Stack

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["stack"]


def stack(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Put the stack that `settings.ANYSGI["STACK"]` names into Django's chain, sync or async as the rest of it is.

    Args:
        get_response: what Django calls a middleware factory with.

    Raises:
        StackError: the setting is missing, or names no `Stack`.
    """
    from django.conf import settings
    from django.utils.module_loading import import_string

    from .middleware._django import django_middleware

    path = getattr(settings, "ANYSGI", {}).get("STACK")
    if not path:
        raise StackError('settings.ANYSGI has no "STACK"; write ANYSGI = {"STACK": "project.http.stack"}')
    found = import_string(path)
    if not isinstance(found, Stack):
        raise StackError(f"{path} is {found!r}, not a Stack; write stack = Stack(request_id(), ...)")
    return django_middleware(found, get_response)


stack.sync_capable = stack.async_capable = True  # type: ignore[attr-defined]  # what Django asks a factory
