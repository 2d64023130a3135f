"""How a request leaves this machine, and why one has no answer.

Which proxy it takes, which authorities are trusted, and which failures waiting does not heal. The
libraries' own texts are not shown: they may hold headers, tokens and passwords.
"""

from __future__ import annotations

import http.client
import os
import re
import ssl
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from attrs import field, frozen
from requests.utils import select_proxy
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from iqm_spec.server_api.errors import Misconfigured, NoReply, NotSent
from iqm_spec.server_api.retry import CONNECT_SECONDS

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name a file or folder of certificates; the first that is set holds."""

_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


@frozen
class Proxy:
    """A proxy, `shown` without its user name and password; `variable` is where it stands."""

    shown: str
    variable: str
    is_socks: bool

    def __str__(self) -> str:
        return f"the proxy {self.shown} ({self.variable})"


@frozen
class Route:
    """The proxy of a request, and the file or folder of certificates that stands in `variable`.

    `bundle` is empty where the usual authorities are trusted.
    """

    proxy: Proxy | None
    bundle: str = field(default="", repr=False)
    variable: str = ""


def route_of(url: str, proxies: Mapping[str, str], verify: Any) -> Route:
    """The route of a request under the proxies and the `verify` of requests' own settings.

    Misconfigured names the variable that cannot be followed.
    """
    text, scheme = select_proxy(url, dict(proxies)), urlsplit(url).scheme
    proxy = _proxy(text, _variable(scheme, text)) if text else None
    if not isinstance(verify, str) or scheme != "https":
        return Route(proxy)
    variable = next((name for name in BUNDLES if os.environ.get(name)), BUNDLES[0])
    where = f"the file of certificates that {variable} names"
    hint = f"correct {variable}, or unset it"
    if not os.path.exists(verify):
        raise Misconfigured(f"{where} is not there", hint=hint)
    if not os.access(verify, os.R_OK):
        raise Misconfigured(f"{where} cannot be read", hint=hint)
    return Route(proxy, verify, variable)


def _variable(scheme: str, proxy: str) -> str:
    """The environment variable that holds a proxy, as it is spelled there."""
    for name in (f"{scheme}_proxy", "all_proxy"):
        for spelled in (name, name.upper()):
            if os.environ.get(spelled) == proxy:
                return spelled
    return "the system's settings"


def _proxy(text: str, variable: str) -> Proxy:
    """The proxy at `text`, which no message shows: it may hold a password."""
    hint = f"correct {variable}, for example http://proxy.example.org:3128, or unset it"
    full = text if "://" in text else f"http://{text}"
    try:
        url = parse_url(full)
    except LocationParseError:
        raise Misconfigured(f"{variable} holds no address of a proxy", hint=hint) from None
    if url.scheme not in _SCHEMES or not url.host:
        raise Misconfigured(f"{variable} holds no address of a proxy", hint=hint)
    if "@" in full and not url.auth:
        raise Misconfigured(
            f"{variable} holds no address of a proxy: a character of its password is not quoted",
            hint="in user name and password write %2F for /, %3F for ?, %23 for #, %40 for @",
        )
    is_socks = url.scheme.startswith("socks")
    if is_socks and find_spec("socks") is None:
        raise Misconfigured(
            f"{variable} names a SOCKS proxy, and PySocks is not installed",
            hint="`pip install pysocks`; or unset it, or name the server's host in NO_PROXY",
        )
    port = f":{url.port}" if url.port else ""
    return Proxy(f"{url.scheme}://{url.host}{port}", variable, is_socks)


FAILURES = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)
"""What the libraries raise where there is no answer."""

_DEAD = (ConnectionRefusedError, urllib3.exceptions.NameResolutionError)
_REFUSED = "the connection was refused"
_PLAIN = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
"""OpenSSL's names for an answer that is not encrypted at all."""
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
_DATES = "is this machine's clock right? Otherwise the server's operators must renew it"
_CERTIFICATES = {
    9: ("is not valid yet", _DATES),
    10: ("has expired", _DATES),
    62: ("is for another host", ""),
    64: ("is for another host", ""),
}
"""What is wrong with a certificate, by OpenSSL's code (X509_V_ERR_...)."""

_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (urllib3.exceptions.NameResolutionError, "no such host"),
    (urllib3.exceptions.ConnectTimeoutError, "the server cannot be reached in {connect:g} s"),
    (urllib3.exceptions.ReadTimeoutError, "no answer in {seconds:g} s"),
    (requests.exceptions.SSLError, "the encrypted connection failed"),
    (requests.exceptions.ProxyError, "the proxy failed"),
    (requests.exceptions.ConnectTimeout, "the server cannot be reached in {connect:g} s"),
    (requests.exceptions.Timeout, "no answer in {seconds:g} s"),
    (urllib3.exceptions.NewConnectionError, "the connection failed"),
    (urllib3.exceptions.IncompleteRead, "the answer broke off"),
    (http.client.IncompleteRead, "the answer broke off"),
    (http.client.RemoteDisconnected, "the connection was closed without an answer"),
    (http.client.BadStatusLine, "the server does not speak HTTP at this port"),
    (ConnectionResetError, "the connection was reset"),
    (BrokenPipeError, "the connection was closed while sending"),
    (TimeoutError, "no answer in {seconds:g} s"),
    (requests.exceptions.ContentDecodingError, "the answer cannot be decompressed"),
    (requests.exceptions.ChunkedEncodingError, "the answer broke off"),
)


def not_sent(error: Exception, seconds: float, route: Route | None) -> NoReply:
    """The error of a request of which nothing was sent; Misconfigured where that will stay so."""
    reason = reason_of(error)
    if isinstance(reason, ssl.SSLError) and route is not None:
        return _tls(error, reason, route)
    if route is not None and route.proxy is not None:
        return _proxied(error, seconds, route)
    return NotSent(words(error, seconds))


def words(error: Exception, seconds: float) -> str:
    """Why there is no answer."""
    reason = reason_of(error)
    if "onnection refused" in str(reason):
        return _REFUSED
    for kind, text in _WORDS:
        if isinstance(error, kind) or isinstance(reason, kind):
            return text.format(seconds=seconds, connect=min(seconds, CONNECT_SECONDS))
    return f"the connection failed ({type(reason).__name__})"


def reason_of(error: BaseException) -> BaseException:
    """The innermost cause that the libraries wrapped."""
    cause: BaseException = error
    for _ in range(8):
        inner = getattr(cause, "reason", None)
        inner = inner if isinstance(inner, BaseException) else (cause.args or (None,))[-1]
        if not isinstance(inner, BaseException):
            break
        cause = inner
    return cause


def _tls(error: Exception, reason: ssl.SSLError, route: Route) -> NoReply:
    """The error of an encrypted connection that did not come about."""
    is_proxys = isinstance(error, requests.exceptions.ProxyError) and route.proxy is not None
    whose = str(route.proxy) if is_proxys else "the server"
    if route.bundle and not _holds_certificates(route.bundle):
        return Misconfigured(
            f"the file that {route.variable} names holds no certificates",
            hint=f"name a file of certificates (PEM) in {route.variable}, or unset it",
        )
    if not isinstance(reason, ssl.SSLCertVerificationError):
        if is_proxys and route.proxy is not None:
            hint = f"if it speaks plain HTTP, write http:// in {route.proxy.variable}"
            return NotSent(f"{whose}: the encrypted connection failed", hint=hint)
        if reason.reason in _PLAIN:
            hint = "correct the port; on this machine a server may also be named with http://"
            return Misconfigured("the server does not speak https at this port", hint=hint)
        hint = "does the server speak https at this port, and is nothing in between?"
        return NotSent("the encrypted connection failed", hint=hint)
    what, hint = _CERTIFICATES.get(reason.verify_code, ("", ""))
    if not what:
        what = "is not trusted"
        if route.bundle:
            hint = (
                f"{route.variable} takes the place of the usual authorities: add to its file the "
                "certificate (PEM) of the authority that signed this one"
            )
        else:
            hint = (
                "where an organization signs its own certificates, or a proxy reads the traffic, "
                "set REQUESTS_CA_BUNDLE to a file with the certificate (PEM) of that authority"
            )
    if is_proxys and route.proxy is not None and not hint:
        hint = f"write in {route.proxy.variable} the host that the certificate names"
    hint = hint or "write in --server (or IQM_SERVER_URL) the host that the certificate names"
    return Misconfigured(f"the certificate of {whose} {what}", hint=hint)


def _holds_certificates(bundle: str) -> bool:
    if Path(bundle).is_dir():
        return True
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(bundle)
    except (OSError, ValueError):
        return False
    return True


def _proxied(error: Exception, seconds: float, route: Route) -> NoReply:
    """The error of a connection that a proxy did not make."""
    proxy = route.proxy
    around = f"correct {proxy.variable}, or name the server's host in NO_PROXY" if proxy else ""
    refused = _TUNNEL.search(str(reason_of(error)))
    status = int(refused[1]) if refused else 0
    if status == 407 and proxy is not None:
        return Misconfigured(
            f"{proxy} asks for a user name and a password (407)",
            hint=f"write them in {proxy.variable}: http://USER:PASSWORD@HOST:PORT, or name the "
            "server's host in NO_PROXY",
        )
    if 400 <= status < 500 and status not in (408, 429):
        what = f"{proxy} does not let this connection through ({status})"
        return Misconfigured(what, hint=around)
    if status:
        return NotSent(f"{proxy} cannot reach the server ({status})", hint=around)
    why = words(error, seconds).replace("the server cannot", "it cannot")
    is_dead = isinstance(reason_of(error), _DEAD) or why == _REFUSED
    return (Misconfigured if is_dead else NotSent)(f"{proxy}: {why}", hint=around)
