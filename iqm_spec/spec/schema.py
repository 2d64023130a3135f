"""The JSON Schema of a spec: the one source of field names, types and defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("experiment-v1.schema.json")

SECTIONS = ("aer", "transpile", "options", "require", "analysis", "budget", "executor")
"""Fields of a spec that hold fields of their own."""


@cache
def default_schema() -> Mapping[str, Any]:
    """The schema of `iqm_spec: 1` (JSON Schema, draft 2020-12)."""
    schema: Mapping[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return schema


def resolve(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """`schema` itself, or what its `$ref` leads to, with what stands beside the `$ref`."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    target = default_schema()["$defs"][reference.removeprefix("#/$defs/")]
    return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}


@cache
def fields(section: str = "") -> Mapping[str, Mapping[str, Any]]:
    """Schemas of the fields of the top level, of a section, of `circuits` or of a `sweep` block."""
    if not section:
        found = default_schema()["properties"]
    elif section in ("circuits", "sweep"):
        found = default_schema()["$defs"][{"circuits": "circuit", "sweep": "block"}[section]]
        found = found["properties"]
    else:
        found = resolve(default_schema()["properties"][section])["properties"]
    return {name: resolve(schema) for name, schema in found.items()}


@cache
def defaults(section: str = "") -> Mapping[str, Any]:
    """Defaults of the fields of the top level or of a section; fields without one are left out."""
    given = fields(section).items()
    return {name: schema["default"] for name, schema in given if "default" in schema}


def describe(path: tuple[str | int, ...]) -> Mapping[str, Any] | None:
    """Schema of the field at `path`, or None where the language has no such field."""
    here: Mapping[str, Any] | None = default_schema()
    for step in path:
        if here is None:
            return None
        here = _step(here, step)
    return here


def _step(schema: Mapping[str, Any], step: str | int) -> Mapping[str, Any] | None:
    branches = [schema, *(resolve(branch) for branch in schema.get("anyOf", ()))]
    for branch in branches:
        if isinstance(step, int):
            found = branch.get("items")
        else:
            found = branch.get("properties", {}).get(step) or branch.get("additionalProperties")
        if isinstance(found, Mapping):
            return resolve(found)
    return None
