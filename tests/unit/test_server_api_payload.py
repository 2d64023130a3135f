"""Payloads as others write them come out in one form, or are refused in words."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iqm_spec.server_api.payload import (
    ForeignPayload,
    circuits_payload,
    in_current_form,
    normalized,
)

pytestmark = pytest.mark.slow  # iqm-client's models take seconds to import


def job(*instructions: Any, **fields: Any) -> dict[str, Any]:
    return {"circuits": [{"name": "c", "instructions": list(instructions)}], "shots": 5, **fields}


MEASURE = {"name": "measure", "locus": ["QB1"], "args": {"key": "m"}}
PRX = {"name": "prx", "locus": ["QB1"], "args": {"angle": math.pi / 2, "phase": 1.5 * math.pi}}
TURNS = {"name": "prx", "locus": ["QB1"], "args": {"angle_t": 0.25, "phase_t": 0.75}}
QUBITS = {"name": "prx", "qubits": ["QB1"], "args": {"angle_t": 0.25, "phase_t": 0.75}}


def test_all_forms_are_one() -> None:
    forms = [
        job(PRX, MEASURE),
        job(TURNS, MEASURE),
        job(QUBITS, {"name": "measure", "qubits": ["QB1"], "args": {"key": "m"}}),
        job({**PRX, "implementation": None}, MEASURE, dd_mode="disabled", qubit_mapping=None),
    ]
    before = copy.deepcopy(forms)
    assert len({normalized(form) for form in forms}) == 1
    assert len({json.dumps(circuits_payload(form)) for form in forms}) == 1
    assert forms == before  # what was given stays as it was
    (circuit,) = circuits_payload(forms[2])["circuits"]
    assert circuit["instructions"][0]["locus"] == ["QB1"]


def test_a_server_may_spell_whole_numbers_without_a_point() -> None:
    spelled = {"name": "prx", "locus": ["QB1"], "args": {"angle": 1, "phase": 0}}
    (circuit,) = circuits_payload(job(spelled, MEASURE))["circuits"]
    assert circuit["instructions"][0]["args"] == {"angle": 1.0, "phase": 0.0}


@given(angle=st.floats(-4, 4), phase=st.floats(-4, 4), gate=st.sampled_from(["prx", "cc_prx", "u"]))
def test_turns_become_radians_and_nothing_else_changes(
    angle: float, phase: float, gate: str
) -> None:
    given_ = {"name": gate, "qubits": ["QB1"], "args": {"angle_t": angle, "phase_t": phase}}
    read: Any = in_current_form(job(given_, MEASURE))
    (first, second) = read["circuits"][0]["instructions"]
    assert second == MEASURE
    assert first["locus"] == ["QB1"]
    if gate == "u":
        assert first["args"] == given_["args"]
    else:
        assert first["args"] == {"angle": math.tau * angle, "phase": math.tau * phase}


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (job({**PRX, "qubits": ["QB2"]}, MEASURE), "circuit 0: prx names two places"),
        (
            job({**PRX, "args": {"angle": 1.0, "angle_t": 0.1, "phase": 0.0}}, MEASURE),
            "both `angle` and `angle_t`",
        ),
        (job({**PRX, "args": {"angle_t": "x", "phase_t": 0}}, MEASURE), "`angle_t` of prx"),
        (job({**PRX, "args": {"angle_t": True, "phase_t": 0}}, MEASURE), "`angle_t` of prx"),
        (job({**PRX, "args": {}}, MEASURE), "angle"),
        (job({"name": "prx", "args": {"angle": 1.0, "phase": 0.0}}, MEASURE), "locus"),
        (job({**PRX, "name": "hadamard"}, MEASURE), "hadamard"),
        ({"circuits": ["; ModuleID = 'x'"], "shots": 5}, "circuit 0 is QIR text"),
        ({"circuits": [], "shots": 0}, "shots"),
        ({"circuits": [3], "shots": 1}, "circuits"),
        ({"circuits": [{"instructions": 3}], "shots": 1}, "circuits"),
        ({"circuits": {"a": 1}}, "circuits"),
        ({}, "circuits"),
        ({"playlist": {}, "shots": 1}, "circuits: Field required"),
        ([], "the payload: Input should be an object"),
        (None, "the payload: Input should be an object"),
        ("text", "the payload: Input should be an object"),
    ],
)
def test_what_has_no_meaning_is_refused_in_words(payload: Any, why: str) -> None:
    with pytest.raises(ForeignPayload, match=why) as refused:
        circuits_payload(payload)
    assert len(str(refused.value)) < 300
    assert "pydantic" not in str(refused.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    instruction=st.dictionaries(
        st.sampled_from(["name", "locus", "qubits", "args", "implementation"]),
        JSON | st.sampled_from(["prx", "measure", ["QB1"], {"angle_t": 1.0}, {"key": "m"}]),
    ),
    more=st.dictionaries(st.sampled_from(["shots", "qubit_mapping", "dd_strategy"]), JSON),
)
def test_any_json_is_read_or_refused(instruction: Any, more: Any) -> None:
    try:
        read = circuits_payload({**job(instruction, MEASURE), **more})
    except ForeignPayload:
        return
    for circuit in read["circuits"]:
        assert all(item["locus"] and "args" in item for item in circuit["instructions"])
