"""The token: read from the environment, held in a type that does not print."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from iqm_spec.errors import Refused, UsageError
from iqm_spec.server_api.retry import TOKENS_FILE, Backoff, Retry

_LARGEST_FILE = 1 << 20
_SHORTEST = 8
"""Characters of a token that is looked for in texts; IQM's have hundreds."""
_MASK = "[token]"
_LAST = 4e9
"""The latest expiry that is taken for one, in the year 2096."""

_GET_ONE = "get a new one from the server's dashboard"


class Token:
    """A bearer token that never prints; `reveal` is for the request's header alone.

    A token of a file is read again at each use, so that another program may refresh it.
    """

    __slots__ = ("__read", "__seen")

    def __init__(self, read: Callable[[], str]) -> None:
        self.__read = read
        self.__seen: set[str] = set()

    def reveal(self) -> str:
        """The token as it is now; `Refused` says why there is none."""
        text = self.__read()
        self.__seen.add(text)
        return text

    def scrub(self, text: str) -> str:
        """`text` without any token that was ever revealed, very short ones aside."""
        for secret in self._secrets():
            text = text.replace(secret, _MASK)
        return text

    def scrub_bytes(self, data: bytes) -> bytes:
        """`data` without any token that was ever revealed, very short ones aside."""
        for secret in self._secrets():
            data = data.replace(secret.encode(), _MASK.encode())
        return data

    def _secrets(self) -> list[str]:
        """The longest first. `x` is no secret, and cut out of an answer it would break `prx`."""
        return sorted((s for s in self.__seen if len(s) >= _SHORTEST), key=len, reverse=True)

    def __repr__(self) -> str:
        return "Token(...)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a token is not pickled or copied")


def find_token(environ: Mapping[str, str]) -> Token | None:
    """The token of IQM_TOKEN or of the file that IQM_TOKENS_FILE names; None where neither is set.

    UsageError where both are set, as iqm-client has it; Refused where the one that is set is of no
    use. The file is JSON with an `access_token`, a JWT that has time left.
    """
    text, file = environ.get("IQM_TOKEN", ""), environ.get("IQM_TOKENS_FILE", "")
    if text and file:
        raise UsageError(
            "IQM_TOKEN and IQM_TOKENS_FILE are both set", hint="unset the one that is not in use"
        )
    if not text and not file:
        return None
    token = Token(lambda: _plain(text, "IQM_TOKEN")) if text else Token(_reader(file))
    token.reveal()
    return token


def scrub(text: str, token: Token | None) -> str:
    """`text` without the token."""
    return text if token is None else token.scrub(text)


def _plain(text: str, where: str) -> str:
    """`text` if it can stand in a header; the message never shows it."""
    text = text.strip()
    if not text or not all("!" <= char <= "~" for char in text):
        raise _refused(f"{where} holds no token: spaces or odd characters are in it", _GET_ONE)
    return text


def _reader(path: str) -> Callable[[], str]:
    """Reads the file's token. A file that was good before may be unusable for a moment, while
    another program rewrites it."""
    was_good = False

    def read() -> str:
        nonlocal was_good
        backoff = Backoff(Retry(TOKENS_FILE))
        while True:
            try:
                token = _from_file(path)
            except Refused:
                if not was_good or not backoff.pause():
                    raise
            else:
                was_good = True
                return token

    return read


def _from_file(path: str) -> str:
    """The file's access token. Messages do not name the path: it tells of the user's machine."""
    where = "the file that IQM_TOKENS_FILE names"
    try:
        if Path(path).exists() and not Path(path).is_file():  # a pipe would be waited for
            raise _refused(f"{where} is no regular file", "correct its path")
        with Path(path).open("rb") as file:
            data = json.loads(file.read(_LARGEST_FILE))
    except OSError as error:
        raise _refused(f"{where} cannot be read: {error.strerror}", "correct its path") from None
    except (ValueError, RecursionError):
        raise _refused(f"{where} is not JSON", _GET_ONE) from None
    text = data.get("access_token") if isinstance(data, dict) else None
    if not isinstance(text, str):
        raise _refused(f"{where} has no `access_token`", _GET_ONE)
    token = _plain(text, where)
    expires = expires_at(token)
    if not expires:
        raise _refused(
            f"the access token in {where} is no JWT with an expiry", "put a plain one in IQM_TOKEN"
        )
    if expires <= time.time():
        raise _refused(
            f"the access token in {where} has expired",
            "refresh the file, then go on with `iqm-spec resume`",
        )
    return token


def expires_at(token: str) -> float:
    """When a JWT expires, in seconds since 1970; 0 where it does not say. Nothing is verified."""
    parts = token.split(".")
    if len(parts) != 3:
        return 0.0
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        expires = float(claims.get("exp", 0))
        return expires if 0 <= expires <= _LAST else 0.0
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return 0.0


def _refused(message: str, hint: str) -> Refused:
    return Refused(message, hint=hint, code="refused.token")
