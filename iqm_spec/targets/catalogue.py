"""The machines that are built in: one data file each, made by tools/make_target_data.py."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from iqm_spec.targets.architecture import Architecture, architecture_from_json
from iqm_spec.targets.profile import ErrorProfile, error_profile_from_json

_DATA = Path(__file__).parent / "data"


@cache
def known() -> tuple[str, ...]:
    """Aliases of the built-in machines, sorted."""
    return tuple(sorted(path.stem for path in _DATA.glob("*.json")))


@cache
def architecture(alias: str) -> Architecture:
    """The built-in machine called `alias`; ValueError names the known ones."""
    data = _read(alias)
    return architecture_from_json({**data["architecture"], "source": data["source"]}, alias)


@cache
def error_profile(alias: str) -> ErrorProfile | None:
    """Figures for simulating `alias`, or None where it is not built in."""
    if alias not in known():
        return None
    data = _read(alias)
    told = {"source": data["source"], "assumptions": data["assumptions"]}
    return error_profile_from_json({**data["error_profile"], **told})


def _read(alias: str) -> Any:
    if alias not in known():
        raise ValueError(f"no machine called {alias!r} is built in; known: {', '.join(known())}")
    return json.loads((_DATA / f"{alias}.json").read_text(encoding="utf-8"))
