"""How a request leaves this machine: through which proxy, and which authorities are trusted."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen
from requests.utils import select_proxy
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from iqm_spec.server.errors import Misconfigured

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
    proxy = select_proxy(url, dict(proxies))
    known = _proxy(proxy, _variable(urlsplit(url).scheme, proxy)) if proxy else None
    if not isinstance(verify, str) or urlsplit(url).scheme != "https":
        return Route(known)
    variable = next((name for name in BUNDLES if os.environ.get(name)), BUNDLES[0])
    where = f"the file of certificates that {variable} names"
    hint = f"correct {variable}, or unset it"
    if not os.path.exists(verify):
        raise Misconfigured(f"{where} is not there", hint=hint)
    if not os.access(verify, os.R_OK):
        raise Misconfigured(f"{where} cannot be read", hint=hint)
    return Route(known, verify, variable)


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
