"""The JSON Schema of a spec: the only source of field names, types and defaults.

Also what follows from it: the analyses that a spec can declare, and their default options.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from iqm_spec.json_types import Json

_FILE = Path(__file__).with_name("experiment-v1.schema.json")

SECTIONS = ("aer", "transpile", "options", "require", "analysis", "budget", "executor")
"""Fields of a spec that hold fields of their own."""


JsonSchema = Mapping[str, Any]
"""A JSON Schema, or a part of one."""

Fields = Mapping[str, Any]
"""Fields of a spec, or of a part of it, whose types the schema has checked: plain JSON."""


@cache
def spec_schema() -> JsonSchema:
    """The schema of `iqm_spec: 1` (JSON Schema, draft 2020-12)."""
    schema: JsonSchema = json.loads(_FILE.read_text(encoding="utf-8"))
    return schema


def resolve_reference(schema: JsonSchema) -> JsonSchema:
    """`schema` itself, or what its `$ref` leads to, with what stands beside the `$ref`."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    target = spec_schema()["$defs"][reference.removeprefix("#/$defs/")]
    return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}


@cache
def field_schemas(section: str = "") -> Mapping[str, JsonSchema]:
    """Schemas of the fields of the top level, of a section, of `circuits` or of a `sweep` block."""
    if not section:
        schemas = spec_schema()["properties"]
    elif section in ("circuits", "sweep"):
        definition = {"circuits": "circuit", "sweep": "block"}[section]
        schemas = spec_schema()["$defs"][definition]["properties"]
    else:
        schemas = resolve_reference(spec_schema()["properties"][section])["properties"]
    return {name: resolve_reference(schema) for name, schema in schemas.items()}


@cache
def field_defaults(section: str = "") -> Fields:
    """Defaults of the fields of the top level or of a section; fields without one are left out."""
    schemas = field_schemas(section).items()
    return {name: schema["default"] for name, schema in schemas if "default" in schema}


PLUGINS = "plugins"

DeclaredAnalyses = Mapping[str, Mapping[str, Json]]
"""Options by the names of analyses."""


def analysis_names() -> tuple[str, ...]:
    """Names of the analyses that a spec can declare, plugins aside."""
    return tuple(name for name in field_schemas("analysis") if name != PLUGINS)


def analyses_with_defaults(analyses: Fields) -> dict[str, Mapping[str, Json]]:
    """Each declared analysis with all of its options."""
    return {name: {**_defaults(name), **options} for name, options in analyses.items()}


def _defaults(name: str) -> dict[str, Json]:
    if name == PLUGINS:
        return {}
    properties = field_schemas("analysis")[name]["properties"].items()
    return {
        key: resolve_reference(schema)["default"]
        for key, schema in properties
        if "default" in resolve_reference(schema)
    }
