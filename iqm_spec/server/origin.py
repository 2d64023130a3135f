"""Which server: an address made plain, and the realm that its results belong to."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from attrs import frozen

from iqm_spec.errors import UsageError

_LOOPBACK = ("localhost", "127.0.0.1")
_MOVED = ("cocos.resonance.meetiqm.com", "resonance.meetiqm.com")
_DEFAULT_PORTS = {"https": 443, "http": 80}
_EXAMPLE = "write it as https://resonance.iqm.tech or http://localhost:8000"


@frozen
class Server:
    """A server: `url` has no path and no trailing slash.

    `realm` is part of every key of a mock or hardware job: the server's origin, or `emulator`.
    """

    realm: str
    url: str


DEFAULT_SERVER = Server("https://resonance.iqm.tech", "https://resonance.iqm.tech")
"""IQM Resonance."""


def parse_server(text: str) -> Server:
    """The server at `text`: https, or http on this machine; UsageError says what is wrong.

    IQM's earlier hosts are rewritten to today's. Case, a trailing slash and a port that is the
    scheme's own make no difference.
    """
    parts, port = _split(text.strip())
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise _wrong(text, "is not the address of a server", _EXAMPLE)
    if not all(char.isascii() and (char.isalnum() or char in "-.") for char in host):
        raise _wrong(text, f"has the host {host!r}, which is no plain name", _EXAMPLE)
    _check_rest(text, parts)
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise _wrong(text, "would send the token in the clear", f"write https://{host}")
    if host in _MOVED:
        return DEFAULT_SERVER
    suffix = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    origin = f"{parts.scheme}://{host}{suffix}"
    return Server(origin, origin)


def _split(text: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(text)
        return parts, parts.port
    except ValueError:
        raise _wrong(text, "is not an address", _EXAMPLE) from None


def _check_rest(text: str, parts: SplitResult) -> None:
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "the server's address holds a user name or a password",
            hint="leave it out: the token comes from IQM_TOKEN or IQM_TOKENS_FILE",
        )
    if parts.query or parts.fragment:
        raise _wrong(text, "has a query or a fragment", _EXAMPLE)
    if parts.path not in ("", "/"):
        name = parts.path.strip("/").split("/")[-1]
        raise _wrong(
            text,
            "has a path: the server is named without a quantum computer",
            f"leave the path out, and write `target: {name}` in the spec",
        )


def _wrong(text: str, what: str, hint: str) -> UsageError:
    shown = text if "@" not in text and len(text) <= 200 else "the server's address"
    return UsageError(f"{shown} {what}", hint=hint)
