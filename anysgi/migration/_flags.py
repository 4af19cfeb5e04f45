"""Switches that many hosts share: an OpenFeature provider (flagd, LaunchDarkly, Flagsmith, PostHog, …)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._switches import Overrides, percentage

if TYPE_CHECKING:
    from openfeature.client import OpenFeatureClient

    from ._table import RouteTable


class FlagSwitches:
    """Reads a boolean flag `anysgi.kill`, and a number flag `anysgi.percent.NAME` for each route to the new side.

    The provider is asked at most once per `refresh` seconds, and must answer from memory, as those with a stream or a
    poll of their own do: it is asked while a request waits.  What it does not know, the table decides.

    Args:
        client: of `openfeature.api.get_client()`; None makes one.
        prefix: what the flags' names begin with.

    Raises:
        ImportError: the OpenFeature SDK is not installed.
    """

    def __init__(self, client: OpenFeatureClient | None = None, *, prefix: str = "anysgi.") -> None:
        if client is None:
            try:
                from openfeature import api
            except ImportError as error:
                raise ImportError("FlagSwitches needs the OpenFeature SDK: pip install 'anysgi[flags]'") from error
            client = api.get_client()
        self._client = client
        self._prefix = prefix

    def read(self, table: RouteTable) -> Overrides:
        """Return what the flags say; see `Switches`."""
        kill = self._client.get_boolean_value(f"{self._prefix}kill", False)
        percents = {}
        for route in table.routes:
            if route.to == "new":
                share = self._client.get_float_value(f"{self._prefix}percent.{route.name}", route.percent)
                if share != route.percent:
                    percents[route.name] = percentage(share)
        return Overrides(kill, frozenset(), percents)

    def __repr__(self) -> str:
        return f"FlagSwitches({self._client!r})"
