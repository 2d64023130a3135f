"""Who may ask. Tokens are compared and forgotten: none is stored, logged or told."""

from __future__ import annotations

import hmac
import os

from iqm_spec.emulator.messages import Rejected


def authorize(header: str | None, token_env: str) -> None:
    """Return for a `Bearer` token that is accepted; `Rejected` (401) for all else.

    Any token is, or only the value of the environment variable `token_env` where one is named.
    """
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Rejected(401, "unauthorized", "a token is needed: Authorization: Bearer TOKEN")
    if token_env:
        expected = os.environ.get(token_env, "")
        if not expected or not hmac.compare_digest(token.strip().encode(), expected.encode()):
            raise Rejected(401, "unauthorized", "the token is not valid, or not any more")
