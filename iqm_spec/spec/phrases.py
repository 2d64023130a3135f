"""Phrases for messages: what a schema expects (`a whole number >= 1`), a value (`the text "1k"`),
a field (`shots`, `item 2 of layout`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from iqm_spec.diagnostics import TreePath, printable
from iqm_spec.json_types import Json
from iqm_spec.source.secrets import conceal
from iqm_spec.spec.schema import JsonSchema

_LONGEST_VALUE = 48
_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "a text",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}


def describe_value(value: Json) -> str:
    """A value as a message shows it; what looks like a secret is masked."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, Sequence):
        return "a list"
    return str(value)


def quoted(text: str) -> str:
    """`text` in double quotes, cut where it is long; what looks like a secret is masked."""
    text = conceal(text)
    cut = text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."
    return f'"{printable(cut, " ")}"'


def describe_schema(schema: JsonSchema) -> str:
    """What `schema` asks for, in words."""
    if "x-expected" in schema:
        return str(schema["x-expected"])
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return list_choices(schema["enum"])
    kinds = schema.get("type", "a value")
    named = [kinds] if isinstance(kinds, str) else list(kinds)
    types = [_TYPES.get(kind, kind) for kind in named if kind != "null"]
    or_null = " or null" if "null" in named and types else ""
    return f"{' or '.join(types or ['null'])}{_range(schema)}{or_null}"


def list_choices(choices: Iterable[Json]) -> str:
    """`x or y`, `one of x, y and z`."""
    quoted_choices = [f"`{choice}`" for choice in choices]
    if len(quoted_choices) < 3:
        return " or ".join(quoted_choices)
    return f"one of {', '.join(quoted_choices[:-1])} and {quoted_choices[-1]}"


def field_name(path: TreePath) -> str:
    """The field at `path` as messages name it."""
    if not path:
        return "the spec"
    if isinstance(path[-1], str):
        return f"`{printable(path[-1], ' ')}`"
    owner = next((step for step in reversed(path) if isinstance(step, str)), "list")
    return f"item {path[-1] + 1} of `{printable(owner, ' ')}`"


def _range(schema: JsonSchema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f" from {low:,} to {high:,}"
    if low is not None:
        return f" >= {low:,}"
    return f" <= {high:,}" if high is not None else ""
