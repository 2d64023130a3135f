"""What looks like a credential: recognized to be refused, masked wherever text is printed."""

from __future__ import annotations

import re

_NAMES = (
    r"(?:iqm[_-]?)?(?:access|refresh|auth|bearer|api|id)?[_-]?tokens?|api[_-]?key|access[_-]?key"
    r"|password|passwd|passphrase|client[_-]?secret|authorization|credentials?"
)
_NAME = re.compile(rf"(?:{_NAMES})\Z", re.IGNORECASE)
_ASSIGNED = re.compile(
    rf"(?<![A-Za-z0-9])((?:{_NAMES})[\"']?[ \t]*[:=][ \t]*)([^\s].*)", re.IGNORECASE
)
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)*")
_BEARER = re.compile(r"(?<![A-Za-z])[Bb]earer[ \t]+[A-Za-z0-9._~+/=-]{12,}")
_USER_INFO = re.compile(r"(?<=://)[^/@\s\"']+:[^/@\s\"']+(?=@)")
_RANDOM = re.compile(r"[A-Za-z0-9+_=-]{32,}")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z", re.IGNORECASE)


def is_secret_name(key: str) -> bool:
    """Whether a field of this name holds a credential: `token`, `api_key`, `password`..."""
    return _NAME.match(key) is not None


def holds_secret(text: str, *, random: bool = False) -> bool:
    """Whether `text` holds a JWT, a bearer token or a URL's password.

    With `random`, a long run of letters and digits that reads like noise counts too.
    """
    if len(text) < 5:
        return False
    if _JWT.search(text) or _BEARER.search(text) or _USER_INFO.search(text):
        return True
    return random and any(_looks_random(match[0]) for match in _RANDOM.finditer(text))


def conceal(text: str) -> str:
    """`text` with everything that looks like a credential masked, columns kept."""
    text = _ASSIGNED.sub(lambda match: match[1] + _mask(match[2]), text)
    for pattern in (_JWT, _BEARER, _USER_INFO):
        text = pattern.sub(lambda match: _mask(match[0]), text)
    return _RANDOM.sub(lambda m: _mask(m[0]) if _looks_random(m[0]) else m[0], text)


def _mask(secret: str) -> str:
    return "*" * len(secret)


def _looks_random(run: str) -> bool:
    """Letters of both cases and digits well mixed, as in base64, or hex of at least 32 digits."""
    if _UUID.match(run):
        return False
    if re.fullmatch(r"[0-9a-f]{32,}|[0-9A-F]{32,}", run):
        return bool(re.search("[a-fA-F]", run) and re.search("[0-9]", run))
    digits = sum(char.isdigit() for char in run)
    return digits >= 3 and run.lower() != run and run.upper() != run
