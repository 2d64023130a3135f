"""Built-in targets: one data file each, written by tools/make_target_data.py."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from iqm_spec.targets.architecture import Architecture, architecture_from_json
from iqm_spec.targets.profile import ErrorProfile, error_profile_from_json

_DATA = Path(__file__).parent / "data"


@cache
def known_targets() -> tuple[str, ...]:
    """Names of the built-in targets, sorted."""
    return tuple(sorted(path.stem for path in _DATA.glob("*.json")))


@cache
def architecture(alias: str) -> Architecture:
    """The architecture of the built-in target `alias`; ValueError lists the known ones."""
    data = _read(alias)
    return architecture_from_json({**data["architecture"], "source": data["source"]}, alias)


@cache
def error_profile(alias: str) -> ErrorProfile | None:
    """The error profile of the built-in target `alias`; None where it is not built in."""
    if alias not in known_targets():
        return None
    data = _read(alias)
    origin = {"source": data["source"], "assumptions": data["assumptions"]}
    return error_profile_from_json({**data["error_profile"], **origin})


def _read(alias: str) -> Any:
    if alias not in known_targets():
        raise ValueError(
            f"no machine called {alias!r} is built in; known: {', '.join(known_targets())}"
        )
    return json.loads((_DATA / f"{alias}.json").read_text(encoding="utf-8"))
