"""What the server tells of the token that asks: until when it is valid."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from iqm_spec.errors import IqmSpecError
from iqm_spec.server.fields import time_of
from iqm_spec.server.patience import Patience, read
from iqm_spec.server.token import Token
from iqm_spec.server.transport import Connection


def read_expiry(connection: Connection, token: Token, patience: Patience) -> datetime | None:
    """When `token` expires, by the server's list of the user's tokens; None where it does not say.

    The list shows the last characters of each token. Of several that end alike, the first to
    expire counts.
    """
    try:
        reply = read(connection, "tokens", None, patience)
        data: Any = reply.json() if reply.ok else None
    except IqmSpecError:
        return None
    listed = data.get("tokens") if isinstance(data, dict) else None
    secret = token.reveal()
    times = [
        when
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, dict) and _is_end(item.get("last_characters"), secret)
        if (when := time_of(item.get("expires_at"))) is not None
    ]
    return min(times, default=None)


def _is_end(text: object, secret: str) -> bool:
    return isinstance(text, str) and bool(text) and secret.endswith(text)
