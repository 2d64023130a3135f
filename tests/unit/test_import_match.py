"""When a job that another program wrote down is a point of the plan, and what is said where not."""

from __future__ import annotations

import cmath
import math
import random
from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve

from iqm_spec.importing.foreign import OPTIONS, Candidate, ForeignJob, candidates, form, match
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit, Op, StageName
from iqm_spec.native import CircuitSummary
from iqm_spec.plan.plan import PlannedPoint

CIRCUIT = NativeCircuit(
    components=("QB1", "QB2", "QB3"),
    registers=(("c", 2),),
    ops=(
        Op("r", (0,), (1.5, 0.0)),
        Op("r", (1,), (1.5, 0.25)),
        Op("r", (2,), (0.5, 0.0)),
        Op("cz", (0, 1)),
        Op("r", (1,), (0.75, 0.0)),
        Op("barrier", (0, 1)),
        Op("measure", (0,), (), (0,)),
        Op("measure", (1,), (), (1,)),
    ),
)


def point(index: int = 0, **fields: Any) -> PlannedPoint:
    given = {
        "index": index, "id": f"{index}", "name": "bell", "values": (("n", index),), "repeat": 0,
        "shots": 100, "target": "garnet", "options": {}, "circuit_key": "a", "circuit": "d",
        "summary": CircuitSummary(2, 3, {}),
    }  # fmt: skip
    return PlannedPoint(**{**given, **fields})


def listed(*points: PlannedPoint) -> list[Candidate]:
    other = evolve(CIRCUIT, ops=(*CIRCUIT.ops[:3], *CIRCUIT.ops[5:]))
    keys = [f"key {one.index}" for one in points]
    return candidates(points, keys, {"a": CIRCUIT, "b": other})


def job(*circuits: tuple[str, ...], **fields: Any) -> ForeignJob:
    settings = listed(point())[0].settings
    given: dict[str, Any] = {
        "id": "j", "stage": StageName.HARDWARE, "target": "garnet", "shots": 100,
        "settings": settings, "calibration_set_id": "set",
        "circuits": tuple(("theirs", one) for one in circuits),
        "payload": {}, "terminal": True,
    }  # fmt: skip
    return ForeignJob(**{**given, **fields})


def instruction(name: str, *locus: str, **args: float) -> Mapping[str, Any]:
    return {"name": name, "locus": list(locus), "args": args, "implementation": None}


A, B = instruction("prx", "QB1", angle=1, phase=0), instruction("prx", "QB2", angle=2, phase=0)
CZ = instruction("cz", "QB1", "QB2")
AFTER = instruction("prx", "QB3", angle=3.0, phase=0)


def test_the_order_between_qubits_that_do_not_meet_makes_no_difference() -> None:
    same = [[A, B, CZ, AFTER], [B, A, CZ, AFTER], [AFTER, B, A, CZ], [A, AFTER, B, CZ]]
    assert len({form(one, {}) for one in same}) == 1
    different = [[A, CZ, B], [CZ, A, B], [A, B, CZ], [A, B], [A, B, CZ, CZ]]
    assert len({form(one, {}) for one in different}) == len(different)


@pytest.mark.parametrize("seed", range(20))
def test_any_order_that_each_qubit_sees_alike_has_one_form(seed: int) -> None:
    chance = random.Random(seed)
    qubits = [f"QB{n}" for n in range(5)]
    circuit = [
        instruction("cz", *chance.sample(qubits, 2))
        if chance.random() < 0.4
        else instruction("prx", chance.choice(qubits), angle=chance.random(), phase=0.0)
        for _ in range(60)
    ]
    shuffled = list(circuit)
    for _ in range(2000):
        at = chance.randrange(len(shuffled) - 1)
        if not set(shuffled[at]["locus"]) & set(shuffled[at + 1]["locus"]):
            shuffled[at : at + 2] = shuffled[at + 1], shuffled[at]
    assert shuffled != circuit
    assert form(shuffled, {}) == form(circuit, {})


def test_numbers_and_names_are_read_alike() -> None:
    spelled = {"name": "prx", "locus": ["q"], "args": {"phase": 0.0, "angle": 1.0}}
    assert form([spelled], {"q": "QB1"}) == form([A], {}) == ("prx(angle=1.0, phase=0.0) on QB1",)
    other = {**A, "implementation": "drag_crf"}
    assert form([other], {}) == ("prx(angle=1.0, phase=0.0) as drag_crf on QB1",)


@pytest.mark.parametrize(
    ("angle", "phase", "same"),
    [
        (1.0, 2.0, True),
        (1.0 + 2e-16, 2.0 - 2 * math.pi, True),
        (-1.0, 2.0 + math.pi, True),
        (1.0 - 2 * math.pi, 2.0, True),
        (1.0 - 2 * math.pi, 2.0 + math.pi, False),
        (1.0 + 4 * math.pi, 2.0, True),
        (1.0, 2.0 + math.pi, False),
        (1.00001, 2.0, False),
    ],
)
def test_rotations_are_compared_as_such(angle: float, phase: float, same: bool) -> None:
    ours = form([instruction("prx", "QB1", angle=1.0, phase=2.0)], {})
    theirs = form([instruction("prx", "QB1", angle=angle, phase=phase)], {})
    assert (ours == theirs) is same
    assert (ours == theirs) is equal_rotations((1.0, 2.0), (angle, phase))


@pytest.mark.parametrize("seed", range(50))
def test_rotations_are_the_same_where_their_matrices_are(seed: int) -> None:
    chance = random.Random(seed)
    steps = [n * math.pi / 4 for n in range(-12, 13)]
    one, other = ((chance.choice(steps), chance.choice(steps[8:17])) for _ in range(2))
    forms = [form([instruction("prx", "Q", angle=a, phase=p)], {}) for a, p in (one, other)]
    if round(one[0] / math.tau) * math.tau != pytest.approx(one[0]):  # else any phase will do
        assert (forms[0] == forms[1]) is equal_rotations(one, other)


def equal_rotations(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two prx are one but for a global phase."""

    def rows(angle: float, phase: float) -> list[complex]:
        cos, sin = math.cos(angle / 2), -1j * math.sin(angle / 2)
        return [cos, sin * cmath.exp(-1j * phase), sin * cmath.exp(1j * phase), cos]

    overlap = sum(a.conjugate() * b for a, b in zip(rows(*one), rows(*other), strict=True))
    return abs(abs(overlap) - 2) < 1e-12


def test_circuits_find_their_points_in_any_order() -> None:
    found = listed(point(0), point(1, circuit_key="b"), point(2, repeat=1))
    one, two, _ = (item.form for item in found)
    chosen, why = match(job(two, one, one), found, "pin", ())
    assert why == ""
    assert [item.point.index for item in chosen] == [1, 0, 2]


def test_points_that_ask_the_same_share_one_circuit() -> None:
    found = listed(point(0), point(1))
    shared = [found[0], evolve(found[1], key=found[0].key)]
    made = found[0].form
    assert match(job(made), shared, "pin", ())[1] == ""
    assert "as is another circuit of the job" in match(job(made, made), shared, "pin", ())[1]


OTHER: dict[str, Json] = {"dd_mode": "enabled"}


@pytest.mark.parametrize(
    ("fields", "calibration", "told"),
    [
        ({"target": "emerald"}, "pin", "it ran on emerald, and the spec's target is garnet"),
        (
            {"target": "emerald", "stage": StageName.MOCK},
            "pin",
            "it ran on emerald:mock, and the spec's target is garnet",
        ),
        ({"shots": 2000}, "pin", "2,000 shots in the job and 100 in the spec"),
        ({"calibration_set_id": "old"}, "set", "it ran with the calibration set old, not set"),
        (
            {"settings": {**listed(point())[0].settings, **OTHER}},
            "latest",
            'dd_mode is "enabled" in the job and "disabled" in the spec',
        ),
    ],
)
def test_what_a_whole_job_differs_in(fields: dict[str, Any], calibration: str, told: str) -> None:
    found = listed(point())
    chosen, why = match(job(found[0].form, **fields), found, calibration, ())
    assert (chosen, why) == ([], told)


def test_the_first_difference_to_the_nearest_point_is_named() -> None:
    found = listed(point(3), point(4, circuit_key="b"))
    made = list(found[0].form)
    at = next(i for i, words in enumerate(made) if words.startswith("cz"))
    made[at] = "cz on QB2, QB3"
    _, why = match(job(tuple(made)), found, "pin", ())
    assert why == (
        "circuit 1 (theirs) is not bell n=3: the first difference is cz on QB2, QB3 in the job "
        "and cz on QB1, QB2 in the spec"
    )
    _, why = match(job(found[0].form[:-1]), found, "pin", ())
    assert "the first difference: only the spec has measure(key=" in why
    without = [words for words in made if not words.startswith("barrier")]
    without[at] = found[0].form[at]
    _, why = match(job(tuple(without)), found, "pin", ())
    assert why.endswith("the first difference: only the spec has barrier on QB1, QB2")


def test_many_that_do_not_fit_are_counted() -> None:
    found = listed(point())
    chosen, why = match(job(*[("odd",)] * 9, found[0].form), found, "pin", ())
    assert len(chosen) == 1
    assert why.count("is not bell") == 3
    assert why.endswith("; and 6 circuits more")


def test_options_are_those_of_a_submission() -> None:
    assert set(listed(point())[0].settings) == set(OPTIONS)


def test_conditional_gates_are_compared_with_what_they_read() -> None:
    ops = (
        Op("measure", (0,), (), (0,)),
        Op("cc_r", (1,), (1.5, 0.25), (0,)),
        Op("measure", (1,), (), (1,)),
    )
    ours = candidates([point()], ["k"], {"a": evolve(CIRCUIT, ops=ops)})[0].form

    def theirs(turns: float, source: str, key: str, sign: int = 1) -> tuple[str, ...]:
        gate: dict[str, Any] = {"angle": sign * 1.5 + turns * math.tau, "phase": 0.25}
        gate |= {"feedback_qubit": source, "feedback_key": key}
        return form(
            [
                {**instruction("measure", "a"), "args": {"key": "c_2_0_0", "feedback_key": key}},
                {**instruction("cc_prx", "QB2"), "args": gate},
                {**instruction("measure", "QB2"), "args": {"key": "c_2_0_1"}},
            ],
            {"a": "QB1"},
        )

    assert theirs(0, "a", "c_2_0_0") == theirs(1, "QB1", "c_2_0_0") == ours
    assert theirs(0, "QB2", "c_2_0_0") != ours
    assert theirs(0, "a", "other") != ours
    assert theirs(0, "a", "c_2_0_0", -1) != ours
