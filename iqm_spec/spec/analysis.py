"""The analyses of a spec with every default filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iqm_spec.json_types import Json
from iqm_spec.spec.schema import fields, resolve

PLUGINS = "plugins"

Declared = Mapping[str, Mapping[str, Json]]
"""Options by the names of analyses."""


def analyses() -> tuple[str, ...]:
    """Names of the analyses that a spec can declare, plugins aside."""
    return tuple(name for name in fields("analysis") if name != PLUGINS)


def completed_analysis(given: Mapping[str, Any]) -> dict[str, Mapping[str, Json]]:
    """Each declared analysis with all of its options."""
    return {name: {**_defaults(name), **options} for name, options in given.items()}


def _defaults(name: str) -> dict[str, Json]:
    if name == PLUGINS:
        return {}
    properties = fields("analysis")[name]["properties"].items()
    return {
        key: resolve(schema)["default"]
        for key, schema in properties
        if "default" in resolve(schema)
    }
