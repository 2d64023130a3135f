"""What the JSON Schema finds wrong, as problems in plain words: one mistake, one message."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from attrs import frozen

from iqm_spec.diagnostics import Problem, TreePath, nearest, number_meant
from iqm_spec.json_types import Json
from iqm_spec.source.limits import MOST_MISTAKES
from iqm_spec.spec import unknown
from iqm_spec.spec.schema import default_schema, resolve
from iqm_spec.spec.words import expected, field_name, one_of, quoted, shown
from iqm_spec.sweep.template import TemplateError, axes_in

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

_TEMPLATE = {"$ref": "#/$defs/template"}


@frozen
class _Violation:
    """One keyword of the schema that a value does not keep; `branches` are those of an `anyOf`."""

    keyword: str
    limit: Any
    schema: Mapping[str, Any]
    value: Any
    path: TreePath
    branches: Mapping[int, list[_Violation]]

    @classmethod
    def of(cls, error: ValidationError) -> _Violation:
        """The validator's error as plain data."""
        branches: dict[int, list[_Violation]] = {}
        for child in error.context or ():
            branches.setdefault(int(child.relative_schema_path[0]), []).append(cls.of(child))
        return cls(
            str(error.validator),
            error.validator_value,
            cast("Mapping[str, Any]", error.schema),
            error.instance,
            tuple(error.absolute_path),
            branches,
        )


def schema_problems(tree: Mapping[str, Json]) -> list[Problem]:
    """Problems of `tree` against the schema, at most one per place."""
    found: dict[tuple[TreePath, bool], Problem] = {}
    for error in islice(_validator().iter_errors(tree), MOST_MISTAKES):
        for problem in _translated(_Violation.of(error)):
            found.setdefault((problem.path, problem.on_key), problem)
    return list(found.values())


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(default_schema())


def _translated(found: _Violation) -> Iterator[Problem]:
    """Problems of one error; none for a rule that `circuit_rules` tells in better words."""
    translate = _TRANSLATORS.get(found.keyword)
    if translate is not None:
        yield from translate(found)


def _unknown_fields(found: _Violation) -> Iterator[Problem]:
    known = found.schema.get("properties", {})
    for name in found.value:
        if name not in known:
            yield unknown.problem(found.path, name, known)


def _missing_fields(found: _Violation) -> Iterator[Problem]:
    # what a whole spec needs stands apart: one that extends another need not have it itself
    properties = found.schema.get("properties") or default_schema()["properties"]
    for name in found.schema["required"]:
        if name not in found.value:
            schema = resolve(properties[name])
            where = "" if not found.path else f" in {field_name(found.path)}"
            example = _example(name, schema)
            message = f"`{name}` is missing{where}"
            yield Problem((*found.path, name), "S202", message, f"add `{example}`", on_key=True)


def _example(name: str, schema: Mapping[str, Any]) -> str:
    value = schema.get("examples", [""])[0]
    return f"{name}: {value}" if isinstance(value, str | int | float) else f"{name}: ..."


def _wrong_type(found: _Violation) -> Iterator[Problem]:
    hint = "remove the line, or give it a value" if found.value is None else ""
    if "layout" in found.path and not isinstance(found.value, str):
        hint = "components are named: layout: [QB1, QB2]"
    elif found.path == ("sweep",):
        hint = "begin each block with a dash: `- grid: {n: [2, 3]}`"
    hint = hint or _type_hint(found.value, found.schema)
    yield _problem(found, "S203", expected(found.schema), hint)


def _type_hint(value: Json, schema: Mapping[str, Any]) -> str:
    if schema.get("type") == "array" and isinstance(value, str | int | float | bool):
        told = json.dumps(value, ensure_ascii=False)
        return f"write [{told}]" if len(told) < 30 else "write a list: [...]"
    if schema.get("type") == "string" and isinstance(value, int | float | bool):
        told = str(value).lower() if isinstance(value, bool) else str(value)
        return f'write "{told}" in quotes'
    if schema.get("type") in ("integer", "number") and isinstance(value, str):
        return _number_hint(value)
    return ""


def _number_hint(value: str) -> str:
    if "${" in value:
        return 'here a placeholder stands alone in its text: "${axis}"'
    if meant := number_meant(value):
        return meant
    number = value.strip().lower().replace(",", "").replace("_", "")
    factor = {"k": 1000, "m": 1_000_000}.get(number[-1:], 1)
    digits = number[:-1] if factor > 1 else number
    return f"write {int(digits) * factor}" if digits.isdecimal() and len(digits) < 10 else ""


def _out_of_range(found: _Violation) -> Iterator[Problem]:
    yield _problem(found, "S205", expected(found.schema))


def _not_a_choice(found: _Violation) -> Iterator[Problem]:
    choices = [str(choice) for choice in found.schema["enum"]]
    hint = nearest(str(found.value), choices) or _other_case(found.value, choices)
    yield _problem(found, "S204", one_of(choices), hint)


def _other_case(value: Json, choices: Iterable[str]) -> str:
    same = [choice for choice in choices if choice.lower() == str(value).lower()]
    return f"did you mean {same[0]}?" if same else ""


def _not_the_pattern(found: _Violation) -> Iterator[Problem]:
    words = found.schema.get("x-words", f"match {found.schema['pattern']}")
    meant = found.schema.get("x-meant", {}).get(found.value.lower())
    hint = f"did you mean {meant}?" if meant else ""
    hint = hint or nearest(found.value, found.schema.get("x-nearest", ()))
    yield _problem(found, "S204", words, hint)


def _wrong_size(found: _Violation) -> Iterator[Problem]:
    unit = {"L": "characters", "I": "items", "P": "fields"}[found.keyword[3]]
    bound = "at least" if found.keyword.startswith("min") else "at most"
    count = found.limit
    unit = unit[:-1] if count == 1 else unit
    message = (
        f"{field_name(found.path)} must have {bound} {count} {unit}, it has {len(found.value)}"
    )
    yield Problem(found.path, "S205", message)


def _twice(found: _Violation) -> Iterator[Problem]:
    items = found.value
    at = next(i for i, item in enumerate(items) if item in items[:i])
    message = f"{field_name(found.path)} holds {shown(items[at])} twice"
    yield Problem((*found.path, at), "S204", message, "keep one of the two")


def _no_branch(found: _Violation) -> Iterator[Problem]:
    """The errors of the branch that was meant; a placeholder's branch is never told."""
    if _malformed(found.value) and _TEMPLATE in found.schema["anyOf"]:
        return
    meant = [
        children
        for index, children in found.branches.items()
        if found.schema["anyOf"][index] != _TEMPLATE and not _mismatched(found, children)
    ]
    if not meant and "x-expected" in found.schema:
        words = found.schema["x-expected"]
        consts = [branch["const"] for branch in found.schema["anyOf"] if "const" in branch]
        hint = number_meant(str(found.value)) or nearest(str(found.value), consts)
        yield _problem(found, "S203", words, hint)
        return
    for child in meant[0] if meant else found.branches[0]:
        yield from _translated(child)


def _mismatched(found: _Violation, children: Iterable[_Violation]) -> bool:
    """Whether a branch failed as a whole, by its type or its only value."""
    return any(
        child.keyword in ("type", "const") and child.path == found.path for child in children
    )


def _malformed(value: Json) -> bool:
    """A placeholder without its brace or name, which the check of axes reports."""
    if not isinstance(value, str) or "${" not in value:
        return False
    try:
        return not axes_in(value)
    except TemplateError:
        return True


def _problem(found: _Violation, code: str, words: str, hint: str = "") -> Problem:
    value = found.value
    # that it is a text goes without saying where only its content is wrong
    told = quoted(value) if code == "S204" and isinstance(value, str) else shown(value)
    return Problem(found.path, code, f"{field_name(found.path)} must be {words}, got {told}", hint)


_Translator = Callable[[_Violation], Iterator[Problem]]

_TRANSLATORS: Mapping[str, _Translator] = {
    "additionalProperties": _unknown_fields,
    "required": _missing_fields,
    "type": _wrong_type,
    "const": _wrong_type,
    "enum": _not_a_choice,
    "pattern": _not_the_pattern,
    "minimum": _out_of_range,
    "maximum": _out_of_range,
    "uniqueItems": _twice,
    "anyOf": _no_branch,
    **dict.fromkeys(("minItems", "maxItems", "minLength", "maxLength"), _wrong_size),
    **dict.fromkeys(("minProperties", "maxProperties"), _wrong_size),
}
