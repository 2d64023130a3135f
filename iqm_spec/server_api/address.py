"""Addresses of servers, in one spelling, and the server ids that results belong to."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from attrs import field, frozen

from iqm_spec.errors import UsageError

RESONANCE = "https://resonance.iqm.tech"
"""IQM Resonance as it is addressed today."""

RESONANCE_HOSTS = ("cocos.resonance.meetiqm.com", "resonance.meetiqm.com", "resonance.iqm.tech")
"""IQM Resonance's hosts over the years; iqm-client 36 takes the last one only."""

ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
"""An alias of a quantum computer."""

SUFFIXES = ("mock", "timeslot")
"""What guides have put behind an alias and a colon."""

_DEFAULT_PORTS = {"https": 443, "http": 80}
_EXAMPLE = f"write it as {RESONANCE} or http://localhost:8000"
_PAGES = ("api", "docs", "station", "cocos", "dashboard")
"""First segments of paths on IQM Resonance that are no quantum computer's."""


@frozen
class Server:
    """A server: `url` has no path and no trailing slash.

    `server_id` is part of every key of a mock or hardware job: the server's origin, or `emulator`.
    `notice` says how the address was understood, where it named a quantum computer too.
    """

    server_id: str
    url: str
    notice: str = field(default="", eq=False)


DEFAULT_SERVER = Server(RESONANCE, RESONANCE)
"""IQM Resonance."""


def is_loopback(host: str | None) -> bool:
    """Whether a URL's host is this machine: `localhost`, 127.0.0.0/8 or ::1."""
    if host is None:
        return False
    try:
        address = ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    return address.is_loopback if address.version == 4 else address == IPv6Address(1)


def parse_server(text: str) -> Server:
    """The server at `text`: https, or http on this machine; UsageError says what is wrong.

    IQM's earlier hosts are rewritten to today's. Case, a trailing slash and a port that is the
    scheme's own make no difference. URLs of older guides that name a quantum computer of IQM
    Resonance mean the server; `notice` tells where the quantum computer belongs.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise _wrong(text.strip(), "is not an address", _EXAMPLE) from None
    host = _host(text, parts)
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "the server's address holds a user name or a password",
            hint="leave it out: the token comes from IQM_TOKEN or IQM_TOKENS_FILE",
        )
    if parts.scheme == "http" and not is_loopback(host.strip("[]")):
        raise _wrong(text, "would send the token in the clear", f"write https://{host}")
    suffix = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    origin = f"{parts.scheme}://{host}{suffix}"
    if parts.query or parts.fragment:
        raise _wrong(text, "has a query or a fragment", f"write {origin}")
    is_resonance, is_moved = host in RESONANCE_HOSTS, host in RESONANCE_HOSTS[:-1]
    notice = ""
    if parts.path not in ("", "/"):
        notice = _computer_notice(text, parts.path) if is_resonance and not suffix else ""
        if not notice:
            raise _with_path(text, parts.path, RESONANCE if is_moved else origin)
    if notice or is_moved:
        return Server(RESONANCE, RESONANCE, notice)
    return Server(origin, origin)


def notice_of(text: str | None) -> str:
    """The notice of the server at `text`; empty where there is none or it is no address."""
    try:
        return parse_server(text).notice if text else ""
    except UsageError:
        return ""


def _host(text: str, parts: SplitResult) -> str:
    """The host as it stands in a URL, without a trailing dot; an IPv6 address in brackets."""
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise _wrong(text, "is not the address of a server", _EXAMPLE)
    if ":" in host and "%" not in host:
        try:
            return f"[{IPv6Address(host).compressed}]"
        except ValueError:
            raise _wrong(text, "is not an address", _EXAMPLE) from None
    if not all(char.isascii() and (char.isalnum() or char in "-.") for char in host):
        raise _wrong(text, f"has the host {host!r}, which is no plain name", _EXAMPLE)
    return host


def _computer_notice(text: str, path: str) -> str:
    """What a URL that ends in a quantum computer was read as; empty where it ends in none."""
    alias, suffix = _computer(path)
    if not alias or alias in _PAGES:
        return ""
    target = f"`target: {alias}:mock`" if suffix == "mock" else f"`target: {alias}`"
    mode = " with `mode: timeslot`" if suffix == "timeslot" else ""
    return (
        f"the server {text.strip()} is read as {RESONANCE}; "
        f"the quantum computer belongs in the spec: {target}{mode}"
    )


def _computer(path: str) -> tuple[str, str]:
    """Alias and suffix that a path consists of; both empty where it is no quantum computer's."""
    alias, colon, suffix = path.strip("/").partition(":")
    if not ALIAS.match(alias) or (colon and suffix not in SUFFIXES):
        return "", ""
    return alias, suffix


def _with_path(text: str, path: str, base: str) -> UsageError:
    """The error of an address with more than a host; the hint has the address to write."""
    if not path.strip("/"):
        return _wrong(text, "has slashes too many", f"write {base}")
    if "api" in path.split("/"):
        what = "has a path: the program adds /api/v1 itself, and knows no other prefix"
        return _wrong(text, what, f"write {base}")
    what = "has a path: a server is named by its host alone"
    alias, suffix = _computer(path)
    if not alias or alias in _PAGES:
        return _wrong(text, what, f"write {base}")
    name = f"{alias}:mock" if suffix == "mock" else alias
    mode = " and `mode: timeslot`" if suffix == "timeslot" else ""
    hint = f"write {base}; a quantum computer stands in the spec (`target: {name}`{mode})"
    return _wrong(text, what, hint)


def _wrong(text: str, what: str, hint: str) -> UsageError:
    shown = text if "@" not in text and len(text) <= 200 else "the server's address"
    return UsageError(f"{shown} {what}", hint=hint)
