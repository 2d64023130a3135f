"""What breaks the JSON Schema, as problems in plain words: one mistake, one message.

For a field that the language lacks, the message names what its writer most likely meant.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from attrs import frozen

from iqm_spec.diagnostics import Problem, TreePath, nearest, number_meant
from iqm_spec.json_types import Json
from iqm_spec.source.text import MAX_MISTAKES
from iqm_spec.spec.phrases import (
    describe_schema,
    describe_value,
    field_name,
    list_choices,
    quoted,
)
from iqm_spec.spec.schema import SECTIONS, JsonSchema, field_schemas, resolve_reference, spec_schema
from iqm_spec.spec.template import TemplateError, axes_in

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError


_TEMPLATE = {"$ref": "#/$defs/template"}


@frozen
class _Violation:
    """One keyword of the schema that a value does not keep; `branches` are those of an `anyOf`."""

    keyword: str
    limit: Any
    schema: JsonSchema
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
            cast("JsonSchema", error.schema),
            error.instance,
            tuple(error.absolute_path),
            branches,
        )


def schema_problems(tree: Mapping[str, Json]) -> list[Problem]:
    """Problems of `tree` against the schema, at most one per place."""
    problems: dict[tuple[TreePath, bool], Problem] = {}
    for error in islice(_validator().iter_errors(tree), MAX_MISTAKES):
        for problem in _problems_of(_Violation.of(error)):
            problems.setdefault((problem.path, problem.on_key), problem)
    return list(problems.values())


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(spec_schema())


def _problems_of(violation: _Violation) -> Iterator[Problem]:
    """Problems of one violation; none for a rule that `field_rules` reports in better words."""
    translate = _TRANSLATORS.get(violation.keyword)
    if translate is not None:
        yield from translate(violation)


def _unknown_fields(violation: _Violation) -> Iterator[Problem]:
    known = violation.schema.get("properties", {})
    for name in violation.value:
        if name not in known:
            yield unknown_field(violation.path, name, known)


def _missing_fields(violation: _Violation) -> Iterator[Problem]:
    # required fields are checked apart: a spec that extends another need not have them itself
    properties = violation.schema.get("properties") or spec_schema()["properties"]
    for name in violation.schema["required"]:
        if name not in violation.value:
            schema = resolve_reference(properties[name])
            where = "" if not violation.path else f" in {field_name(violation.path)}"
            value = schema.get("examples", [""])[0]
            example = f"{name}: {value}" if isinstance(value, str | int | float) else f"{name}: ..."
            message = f"`{name}` is missing{where}"
            yield Problem((*violation.path, name), "S202", message, f"add `{example}`", on_key=True)


def _wrong_type(violation: _Violation) -> Iterator[Problem]:
    hint = "remove the line, or give it a value" if violation.value is None else ""
    if "layout" in violation.path and not isinstance(violation.value, str):
        hint = "components are named: layout: [QB1, QB2]"
    elif violation.path == ("sweep",):
        hint = "begin each block with a dash: `- grid: {n: [2, 3]}`"
    hint = hint or _type_hint(violation.value, violation.schema)
    yield _problem(violation, "S203", describe_schema(violation.schema), hint)


def _type_hint(value: Json, schema: JsonSchema) -> str:
    if schema.get("type") == "array" and isinstance(value, str | int | float | bool):
        text = json.dumps(value, ensure_ascii=False)
        return f"write [{text}]" if len(text) < 30 else "write a list: [...]"
    if schema.get("type") == "string" and isinstance(value, int | float | bool):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return f'write "{text}" in quotes'
    if schema.get("type") in ("integer", "number") and isinstance(value, str):
        if "${" in value:
            return 'here a placeholder stands alone in its text: "${axis}"'
        if meant := number_meant(value):
            return meant
        number = value.strip().lower().replace(",", "").replace("_", "")
        factor = {"k": 1000, "m": 1_000_000}.get(number[-1:], 1)
        digits = number[:-1] if factor > 1 else number
        return f"write {int(digits) * factor}" if digits.isdecimal() and len(digits) < 10 else ""
    return ""


def _out_of_range(violation: _Violation) -> Iterator[Problem]:
    yield _problem(violation, "S205", describe_schema(violation.schema))


def _not_a_choice(violation: _Violation) -> Iterator[Problem]:
    choices = [str(choice) for choice in violation.schema["enum"]]
    hint = nearest(str(violation.value), choices)
    same = [choice for choice in choices if choice.lower() == str(violation.value).lower()]
    if same and not hint:
        hint = f"did you mean {same[0]}?"
    yield _problem(violation, "S204", list_choices(choices), hint)


def _not_the_pattern(violation: _Violation) -> Iterator[Problem]:
    words = violation.schema.get("x-words", f"match {violation.schema['pattern']}")
    meant = violation.schema.get("x-meant", {}).get(violation.value.lower())
    hint = f"did you mean {meant}?" if meant else ""
    hint = hint or nearest(violation.value, violation.schema.get("x-nearest", ()))
    yield _problem(violation, "S204", words, hint)


def _wrong_size(violation: _Violation) -> Iterator[Problem]:
    unit = {"L": "characters", "I": "items", "P": "fields"}[violation.keyword[3]]
    bound = "at least" if violation.keyword.startswith("min") else "at most"
    count = violation.limit
    unit = unit[:-1] if count == 1 else unit
    field = field_name(violation.path)
    message = f"{field} must have {bound} {count} {unit}, it has {len(violation.value)}"
    yield Problem(violation.path, "S205", message)


def _twice(violation: _Violation) -> Iterator[Problem]:
    items = violation.value
    at = next(i for i, item in enumerate(items) if item in items[:i])
    message = f"{field_name(violation.path)} holds {describe_value(items[at])} twice"
    yield Problem((*violation.path, at), "S204", message, "keep one of the two")


def _no_branch(violation: _Violation) -> Iterator[Problem]:
    """The errors of the branch that was meant; a placeholder's branch is never reported."""
    if _malformed(violation.value) and _TEMPLATE in violation.schema["anyOf"]:
        return
    meant = [
        children
        for index, children in violation.branches.items()
        if violation.schema["anyOf"][index] != _TEMPLATE and not _mismatched(violation, children)
    ]
    if not meant and "x-expected" in violation.schema:
        words = violation.schema["x-expected"]
        consts = [branch["const"] for branch in violation.schema["anyOf"] if "const" in branch]
        text = str(violation.value)
        hint = number_meant(text) or nearest(text, consts) or violation.schema.get("x-hint", "")
        yield _problem(violation, "S203", words, hint)
        return
    for child in meant[0] if meant else violation.branches[0]:
        yield from _problems_of(child)


def _mismatched(violation: _Violation, children: Iterable[_Violation]) -> bool:
    """Whether a value is not of a branch's type, or not its only value."""
    return any(
        child.keyword in ("type", "const") and child.path == violation.path for child in children
    )


def _malformed(value: Json) -> bool:
    """A placeholder without its brace or name, which the check of axes reports."""
    if not isinstance(value, str) or "${" not in value:
        return False
    try:
        return not axes_in(value)
    except TemplateError:
        return True


def _problem(violation: _Violation, code: str, words: str, hint: str = "") -> Problem:
    value = violation.value
    # where only the content of a text is wrong, its type is not worth a word
    got = quoted(value) if code == "S204" and isinstance(value, str) else describe_value(value)
    return Problem(
        violation.path, code, f"{field_name(violation.path)} must be {words}, got {got}", hint
    )


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


# --- fields that the language lacks --------------------------------------------------------------

_SYNONYMS = {
    "arguments": "args",
    "axes": "sweep",
    "backend": "target",
    "calibration_set": "calibration",
    "calibration_set_id": "calibration",
    "circuit": "circuits",
    "coupling_map": "architecture",
    "dd": "dynamical_decoupling",
    "dd_mode": "dynamical_decoupling",
    "file": "qasm",
    "function": "generator",
    "heralding_mode": "heralding",
    "initial_layout": "layout",
    "kind": "generator",
    "machine": "target",
    "max_credits": "credits",
    "noise_model": "noise",
    "nshots": "shots",
    "num_shots": "shots",
    "openqasm": "qasm",
    "params": "parameters",
    "path": "qasm",
    "qpu": "target",
    "quantum_computer": "target",
    "qubit_mapping": "layout",
    "repeats": "repeat",
    "repetitions": "repeat",
    "seed_simulator": "seed",
    "seed_transpiler": "seed",
    "simulator": "aer",
    "title": "name",
    "type": "generator",
    "url": "target",
    "version": "iqm_spec",
}
_ADVICE = {
    "num_qubits": "it is an argument of the generator: write it under `args`",
    "qubits": "write `layout` for physical qubits, `num_qubits` under `args` for their number",
    "server": "the server is chosen by --server or IQM_SERVER_URL, not by the spec",
    "use_timeslot": "write `mode: timeslot`",
    "values": "write `grid: {axis: [...]}`",
}


def unknown_field(path: TreePath, name: str, known: Iterable[str]) -> Problem:
    """The unknown field `name` of the mapping at `path`, whose fields are `known`."""
    known = list(known)
    where = f" of {field_name(path)}" if path else ""
    message = f"there is no field {field_name((name,))}{where}"
    word = name.lower().replace("-", "_")
    meant = word if word in known else _SYNONYMS.get(word, word)
    if meant in known:
        hint = f"did you mean {meant}?"
    elif word in _ADVICE:
        hint = _ADVICE[word]
    else:
        listed = f"the fields here are {', '.join(known)}"
        hint = nearest(word, known) or _home(meant) or listed
    return Problem((*path, name), "S201", message, hint, on_key=True)


def _home(name: str) -> str:
    """Where a field stands that was written in the wrong place."""
    for section in (*SECTIONS, "circuits", "sweep", ""):
        if name in field_schemas(section):
            if section in ("circuits", "sweep"):
                return f"`{name}` belongs into an entry of `{section}`"
            return f"`{name}` belongs {f'under `{section}`' if section else 'at the top level'}"
    return ""
