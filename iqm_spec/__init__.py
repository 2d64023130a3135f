"""iqm-spec: experiments on IQM quantum computers, declared in a file.

Each folder is a room: its docstring says what belongs there and which rooms it imports. The modules
beside them are the foundations that all rooms speak in; each imports only those before it.

Foundations: json_types, version, packed_shots, canonical, diagnostics, errors, iqm_client, model,
native.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iqm_spec.version import __version__

if TYPE_CHECKING:
    from iqm_spec.api import Point, Run, load, run
    from iqm_spec.errors import IqmSpecError, SpecError

__all__ = ["IqmSpecError", "Point", "Run", "SpecError", "__version__", "load", "run"]


def __getattr__(name: str) -> object:
    """The door for Python, opened when it is first used."""
    if name in ("Point", "Run", "load", "run"):
        from iqm_spec import api

        return getattr(api, name)
    if name in ("IqmSpecError", "SpecError"):
        from iqm_spec import errors

        return getattr(errors, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
