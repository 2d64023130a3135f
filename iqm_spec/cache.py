"""Where this machine remembers what it has found out about bytes, by their sha256.

IQM_SPEC_CACHE, else the user's cache folder. Nothing is lost with it: where it cannot be read or
written, the bytes are looked at again.
"""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path | None:
    """The folder, which need not exist yet; None for a user without a home."""
    named = os.environ.get("IQM_SPEC_CACHE")
    if named:
        return Path(named)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "iqm-spec"
    except RuntimeError:
        return None
