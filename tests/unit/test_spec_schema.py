"""The schema itself: complete, what editors get, and in step with Qiskit and iqm-client."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from iqm_spec.spec.codes import CODES, GROUPS
from iqm_spec.spec.field_rules import _templated
from iqm_spec.spec.schema import field_schemas, spec_schema
from tools import make_reference

TEMPLATE = {"$ref": "#/$defs/template"}


def described() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every field and definition of the schema with its place."""

    def walk(where: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for name, inner in schema.get("properties", {}).items():
            if "$ref" not in inner:
                yield f"{where}.{name}", inner
            yield from walk(f"{where}.{name}", inner)

    schema = spec_schema()
    yield from walk("", schema)
    for name, inner in schema["$defs"].items():
        yield name, inner
        yield from walk(name, inner)


FIELDS = dict(described())


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(spec_schema())
    assert spec_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("where", FIELDS)
def test_every_field_is_described(where: str) -> None:
    schema = FIELDS[where]
    assert schema["title"]
    assert schema["description"].endswith(".")
    assert schema["examples"]


@pytest.mark.parametrize("where", FIELDS)
def test_examples_and_defaults_are_valid(where: str) -> None:
    schema = FIELDS[where]
    rooted = {**schema, "$defs": spec_schema()["$defs"]}
    values = [*schema["examples"], *([schema["default"]] if "default" in schema else [])]
    for value in values:
        assert not list(Draft202012Validator(rooted).iter_errors(value)), value


def test_mappings_are_closed_but_for_names_of_the_users_own() -> None:
    open_ones = {
        where
        for where, schema in FIELDS.items()
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False
    }
    assert open_ones == {
        "circuit.args",
        "assignment",
        "axes",
        "zip_group",
        ".analysis.expectation.observables",
        ".analysis.plugins",
    }


def test_placeholders_stand_where_the_schema_has_them() -> None:
    for section in ("", "transpile", "options"):
        for name, schema in field_schemas(section).items():
            path = (section, name) if section else (name,)
            if TEMPLATE in schema.get("anyOf", ()):
                assert _templated(path), path
                assert _templated(("circuits", 0, *path)), path
            elif not section and name not in ("target", "transpile", "options", "layout"):
                assert not _templated(path), path


@pytest.mark.parametrize("path", make_reference.pages(), ids=lambda path: path.name)
def test_generated_pages_are_up_to_date(path: Path) -> None:
    """If this fails: `python -m tools.make_reference`."""
    assert path.read_text(encoding="utf-8") == make_reference.pages()[path]


def test_codes_are_told_in_full() -> None:
    assert all(code[:2] in GROUPS and entry.title and entry.text for code, entry in CODES.items())
    assert list(CODES) == sorted(CODES)


def test_the_schema_is_plain_json() -> None:
    assert json.loads(json.dumps(spec_schema())) == spec_schema()


@pytest.mark.slow
def test_transpiling_methods_are_qiskits() -> None:
    from qiskit.transpiler.preset_passmanagers.plugin import list_stage_plugins

    for stage in ("layout", "routing"):
        (choices, _) = field_schemas("transpile")[f"{stage}_method"]["anyOf"]
        assert set(choices["enum"]) <= set(list_stage_plugins(stage))


@pytest.mark.slow
def test_options_are_iqm_clients() -> None:
    from iqm.station_control.interface.models.circuit import (
        HeraldingMode,
        MoveGateFrameTrackingMode,
        MoveGateValidationMode,
    )

    options = field_schemas("options")
    for name, enum in {
        "heralding": HeraldingMode,
        "move_gate_validation": MoveGateValidationMode,
        "move_gate_frame_tracking": MoveGateFrameTrackingMode,
    }.items():
        assert set(options[name]["anyOf"][0]["enum"]) == {mode.value for mode in enum}
