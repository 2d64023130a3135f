"""One HTTP exchange, and whether a byte of the request had left when it failed.

A connection is made for each request and never used again: a kept connection that the server has
closed in the meantime would make a lost answer out of a request that was never read.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from enum import Enum
from io import BytesIO
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from attrs import define
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection, HTTPSConnection

from iqm_spec.diagnostics import printable
from iqm_spec.server_api.address import is_loopback
from iqm_spec.server_api.errors import Lost, Misconfigured, TooLarge
from iqm_spec.server_api.network import (
    FAILURES,
    Route,
    not_sent,
    reason_of,
    route_of,
    words,
)
from iqm_spec.server_api.retry import ANSWER_FACTOR, CONNECT_SECONDS

LARGEST_ANSWER = 256 << 20
"""Bytes of an answer, uncompressed, that are read at most."""

_CHUNK = 1 << 16
_MOST_HOPS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_BEFORE_SENDING = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
    requests.exceptions.ConnectTimeout,
)


class _Progress(Enum):
    NOTHING = 0
    CONNECTING = 1
    SENT = 2


_progress: ContextVar[_Progress] = ContextVar("progress", default=_Progress.NOTHING)


class _Watched(HTTPConnection):
    """Notes when the first byte of the request itself is written, a proxy's CONNECT aside."""

    _is_connecting = False

    def connect(self) -> None:
        _progress.set(_Progress.CONNECTING)
        self._is_connecting = True
        try:
            super().connect()
        finally:
            self._is_connecting = False

    def send(self, data: Any) -> None:
        if not self._is_connecting:
            if self.sock is None:
                self.connect()
            _progress.set(_Progress.SENT)
        super().send(data)


class _WatchedTls(_Watched, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Watched


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


class _Adapter(HTTPAdapter):
    """Never tries a request twice, and watches what leaves."""

    def __init__(self) -> None:
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):  # those connections are of a class of their own
            manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager


class _HeaderOnly(AuthBase):
    """Keeps requests from putting a ~/.netrc entry in the place of the token."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def get(url: str, **kwargs: Any) -> requests.Response:
    """GET, redirects within one origin followed. NotSent or Lost.

    Misconfigured where another origin is named: the token is not for it, and it may be any page
    that a network asks to log in at.
    """
    for _ in range(_MOST_HOPS + 1):
        response = _exchange("GET", url, kwargs)
        target = _target(url, response)
        if target is None:
            return response
        if _origin(target) != _origin(url):
            scheme, host, port = _origin(target)
            origin = printable(f"{scheme}://{host}" + (f":{port}" if port else ""))[:100]
            raise Misconfigured(
                f"the server redirects to {origin}, which the token is not for",
                hint="give the server's present address with --server; where this network has a "
                "login page, log in first",
            )
        kwargs.pop("params", None)
        url = target
    raise Lost(f"the server redirected more than {_MOST_HOPS} times")


def post(url: str, **kwargs: Any) -> requests.Response:
    """POST, once: not tried again, not redirected. NotSent or Lost."""
    return _exchange("POST", url, kwargs)


def _target(url: str, response: requests.Response) -> str | None:
    """Where a redirect leads; None where the answer is none that can be followed."""
    if response.status_code not in _REDIRECTS or "Location" not in response.headers:
        return None
    try:
        target = urljoin(url, response.headers["Location"])
        plain = _origin(target)[0] in ("http", "https")
    except ValueError:
        return None
    return target if plain else None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _exchange(method: str, url: str, kwargs: dict[str, Any]) -> requests.Response:
    """The complete answer. `kwargs`: `timeout` (seconds), and `headers`, `params`, `data`."""
    seconds = float(kwargs["timeout"])
    content = {key: kwargs[key] for key in ("headers", "params", "data") if key in kwargs}
    with _classified_failures(seconds) as under_way, requests.Session() as session:
        session.headers["Connection"] = "close"
        request = session.prepare_request(
            requests.Request(method, url, auth=_HeaderOnly(), **content)
        )
        settings: Any = session.merge_environment_settings(request.url, {}, True, None, None)
        if is_loopback(urlsplit(url).hostname):  # nothing here is asked through a proxy
            settings["proxies"] = {}
        under_way.route = route_of(url, settings["proxies"], settings["verify"])
        # not by way of the session: it would read the whole body of a redirect
        with closing(_Adapter()) as adapter:
            response = adapter.send(
                request, timeout=(min(seconds, CONNECT_SECONDS), seconds), **settings
            )
            return _read(response, time.monotonic() + ANSWER_FACTOR * seconds)


def _read(response: requests.Response, deadline: float) -> requests.Response:
    """The answer with its body read, within bounds of size and time."""
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > LARGEST_ANSWER:
        raise TooLarge(f"the server's answer has {int(length):,} bytes: more than is read")
    body = BytesIO()
    for chunk in response.iter_content(_CHUNK):
        body.write(chunk)
        if body.tell() > LARGEST_ANSWER:
            raise TooLarge(f"the server's answer has over {LARGEST_ANSWER:,} bytes")
        if time.monotonic() > deadline:
            raise Lost("the server's answer came too slowly")
    body.seek(0)
    complete = requests.Response()
    complete.status_code, complete.headers = response.status_code, response.headers
    complete.url, complete.raw = "", body
    return complete


@define
class _Request:
    """A request under way; its route is known once the environment has been read."""

    route: Route | None = None


@contextmanager
def _classified_failures(seconds: float) -> Iterator[_Request]:
    """Turns every failure into `NotSent` or `Lost`; in doubt `Lost`."""
    _progress.set(_Progress.NOTHING)
    under_way = _Request()
    try:
        yield under_way
    except FAILURES as error:
        route, progress = under_way.route, _progress.get()
        is_sent = progress is _Progress.SENT
        is_socks = route is not None and route.proxy is not None and route.proxy.is_socks
        if progress is _Progress.NOTHING and is_socks:  # these connections are not watched
            is_sent = not isinstance(error, _BEFORE_SENDING) and not isinstance(
                reason_of(error), urllib3.exceptions.NewConnectionError
            )
        if is_sent:
            raise Lost(words(error, seconds)) from None
        raise not_sent(error, seconds, route) from None
