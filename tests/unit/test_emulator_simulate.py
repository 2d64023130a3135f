"""What jobs give: bits in the order that the API promises, random on mocks, noisy on machines."""

from __future__ import annotations

import json
from collections import Counter
from math import pi
from typing import Any

import pytest
from attrs import evolve

from iqm_spec.emulator.checks import translate
from iqm_spec.emulator.clock import Times
from iqm_spec.emulator.jobs import EmulatedJob, seed_of
from iqm_spec.emulator.messages import ApiError
from iqm_spec.emulator.worker import counts_artifact, measurements_artifact, outcome
from iqm_spec.model import Op
from iqm_spec.targets import architecture

GARNET = EmulatedJob(
    id="11111111-2222-3333-4444-555555555555",
    alias="garnet",
    machine="garnet",
    use_timeslot=False,
    tag=None,
    payload_sha256="0" * 64,
    calibration_set_id="c",
    shots=400,
    heralding=False,
    seed="s",
    times=Times(0, 0, 0, 1),
)
MOCK = evolve(GARNET, alias="garnet:mock")


def op(name: str, *locus: str, **args: Any) -> dict[str, Any]:
    return {"name": name, "locus": list(locus), "args": args, "implementation": None}


def flip(qubit: str) -> dict[str, Any]:
    return op("prx", qubit, angle=pi, phase=0.0)


def payload(*circuits: list[dict[str, Any]], mapping: Any = None) -> bytes:
    named = [{"name": str(i), "instructions": ops} for i, ops in enumerate(circuits)]
    return json.dumps({"circuits": named, "shots": 400, "qubit_mapping": mapping}).encode()


KEYS = [
    flip("QB9"),
    op("barrier", "QB3", "QB4"),
    op("measure", "QB3", "QB9", key="late"),
    flip("QB4"),
    op("measure", "QB4", key="early"),
]


def test_keys_and_qubits_keep_their_order() -> None:
    (item,) = translate(payload(KEYS), architecture("garnet"))
    assert item.keys == ("late", "early")
    assert item.sizes == (2, 1)
    assert item.circuit.components == ("QB3", "QB4", "QB9")
    assert item.circuit.ops[0] == Op("r", (2,), (pi, 0.0))
    assert [o.clbits for o in item.circuit.ops if o.name == "measure"] == [(0,), (1,), (2,)]


@pytest.mark.parametrize(
    "mapping",
    [
        {"a": "QB1", "b": "QB2"},
        [
            {"logical_name": "a", "physical_name": "QB1"},
            {"logical_name": "b", "physical_name": "QB2"},
        ],
    ],
)
def test_logical_names_are_mapped(mapping: Any) -> None:
    ops = [op("cz", "b", "a"), op("delay", "a", duration=1e-7), op("measure", "a", key="m")]
    (item,) = translate(payload(ops, mapping=mapping), architecture("garnet"))
    assert item.circuit.components == ("QB1", "QB2")
    assert item.circuit.ops == (
        Op("cz", (1, 0)),
        Op("delay", (0,), (1e-7,)),
        Op("measure", (0,), (), (0,)),
    )


def test_an_instruction_that_cannot_be_simulated_is_refused() -> None:
    with pytest.raises(ApiError, match="lru"):
        translate(payload([op("lru", "QB1")]), architecture("garnet"))


def test_conditional_gates_read_the_measurement_that_they_name() -> None:
    circuit = [
        op("measure", "QB1", "QB2", key="m", feedback_key="f"),
        op("reset", "QB1", "QB2"),
        op("cc_prx", "QB1", angle=3.0, phase=0.5, feedback_qubit="QB2", feedback_key="f"),
    ]
    (measured,) = translate(payload(circuit), architecture("emerald"))
    assert measured.circuit.ops[2:] == (
        Op("reset", (0,)),
        Op("reset", (1,)),
        Op("cc_r", (0,), (3.0, 0.5), (1,)),
    )
    for wrong in ({"feedback_qubit": "QB3"}, {"feedback_key": "m"}):
        circuit[2]["args"] |= wrong
        with pytest.raises(ApiError, match="cc_prx needs an earlier measure"):
            translate(payload(circuit), architecture("emerald"))
        circuit[2]["args"] |= {"feedback_qubit": "QB2"}
    with pytest.raises(ApiError, match="cc_prx needs an earlier measure"):
        translate(payload(circuit[2:] + circuit[:1]), architecture("emerald"))


@pytest.mark.slow
def test_a_machine_shows_what_the_circuit_does_and_errs() -> None:
    circuits: Any = outcome(GARNET, payload(KEYS, KEYS))["circuits"]
    for item in circuits:
        assert sum(item["counts"].values()) == 400
        likely, often = Counter(item["counts"]).most_common(1)[0]
        assert likely == "011"
        assert 320 < often < 400
    assert circuits[0]["counts"] != circuits[1]["counts"]
    told: Any = counts_artifact(circuits)[0]
    assert told["measurement_keys"] == ["late", "early"]


@pytest.mark.slow
def test_counts_depend_on_the_jobs_file_alone() -> None:
    first = outcome(GARNET, payload(KEYS))
    assert outcome(GARNET, payload(KEYS)) == first
    assert outcome(evolve(GARNET, seed="t"), payload(KEYS)) != first


def test_seeds_come_from_the_id_or_from_the_payload() -> None:
    assert seed_of("a", "x", None) != seed_of("b", "x", None)
    assert seed_of("a", "x", 1) == seed_of("b", "x", 1) != seed_of("b", "y", 1)
    assert seed_of("a", "x", 1) != seed_of("a", "x", 2)


@pytest.mark.slow
def test_a_star_moves_states_through_its_resonator() -> None:
    ops = [
        flip("QB1"),
        op("move", "QB1", "CR1"),
        op("cz", "QB2", "CR1"),
        op("move", "QB1", "CR1"),
        op("measure", "QB2", "QB1", key="m"),
    ]
    made: Any = outcome(evolve(GARNET, alias="deneb", machine="deneb"), payload(ops))
    assert Counter(made["circuits"][0]["counts"]).most_common(1)[0][0] == "01"


def test_a_mock_gives_bits_by_chance() -> None:
    made: Any = outcome(evolve(MOCK, shots=4000), payload(KEYS))
    (item,) = made["circuits"]
    assert len(item["counts"]) == 8
    # 4000 throws at eight equal outcomes: 500 each, give or take 5 standard deviations of 21
    assert all(395 < n < 605 for n in item["counts"].values())


def test_measurements_and_counts_are_the_same_shots() -> None:
    made: Any = outcome(MOCK, payload(KEYS))
    (item,) = made["circuits"]
    (measured,) = measurements_artifact(MOCK, [item])
    assert isinstance(measured, dict)
    late: Any = measured["late"]
    early: Any = measured["early"]
    assert [len(late), len(late[0]), len(early), len(early[0])] == [400, 2, 400, 1]
    rows = ["".join(map(str, a + b)) for a, b in zip(late, early, strict=True)]
    assert Counter(rows) == item["counts"]
    assert rows != sorted(rows)


def test_heralding_gives_fewer_shots() -> None:
    heralded = evolve(MOCK, heralding=True)
    made: Any = outcome(heralded, payload(KEYS))
    # every shot stays with a chance of 1/8
    assert 20 < sum(made["circuits"][0]["counts"].values()) < 80


@pytest.mark.slow
def test_heralding_on_a_machine_keeps_most_shots() -> None:
    made: Any = outcome(evolve(GARNET, heralding=True), payload(KEYS))
    assert 340 < sum(made["circuits"][0]["counts"].values()) < 400


def test_a_job_without_shots_left_fails() -> None:
    every = [op("measure", *architecture("garnet").qubits, key="m")]
    made: Any = outcome(evolve(MOCK, heralding=True), payload(every))
    assert made["failure"]["error_code"] == "no_shots_left"


@pytest.mark.slow
def test_a_job_that_cannot_be_simulated_fails_with_the_reason() -> None:
    broken = b'{"circuits": [{"name": "x", "instructions": [{"name": "prx"}]}]}'
    made: Any = outcome(GARNET, broken)
    assert made["failure"]["error_code"] == "internal_error"
    assert "KeyError" in made["failure"]["message"]
