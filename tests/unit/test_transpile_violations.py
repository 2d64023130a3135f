"""Every rule that a native circuit can break, and the words for it."""

from __future__ import annotations

import pytest

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.targets import architecture
from iqm_spec.transpile import violations

R = Op("r", (0,), (1.0, 0.0))
IN, OUT = Op("move", (0, 2)), Op("move", (0, 2))
OTHER = Op("move", (1, 2))

BROKEN = [
    ([Op("h", (0,))], "instruction 0 (h): not native"),
    ([Op("r", (0,), (1.0,))], "instruction 0 (r): not an instruction with these operands"),
    ([Op("measure", (0,))], "instruction 0 (measure): not an instruction with these operands"),
    ([Op("r", (7,), (1.0, 0.0))], "instruction 0 (r): acts on a component that is not there"),
    ([Op("measure", (0,), (), (2,))], "instruction 0 (measure): writes a classical bit"),
    ([Op("r", (0,), (float("nan"), 0.0))], "instruction 0 (r): has the parameters"),
    ([Op("delay", (0,), (-1.0,))], "instruction 0 (delay): has the parameters"),
    ([Op("cz", (0, 0))], "instruction 0 (cz): acts on a component twice"),
    ([Op("cz", (0, 1))], "instruction 0 (cz): deneb has none on QB1, QB2"),
    ([Op("r", (2,), (1.0, 0.0))], "instruction 0 (r): deneb has none on CR1"),
    ([Op("measure", (2,), (), (0,))], "instruction 0 (measure): deneb has none on CR1"),
    ([Op("delay", (2,), (1e-6,))], "instruction 0 (delay): deneb has none on CR1"),
    ([Op("reset", (0,))], "instruction 0 (reset): deneb has none on QB1"),
    ([Op("move", (2, 0))], "instruction 0 (move): deneb has none on CR1, QB1"),
    ([Op("cz", (0, 2))], "instruction 0 (cz): acts on CR1, which holds no state"),
    ([IN, R, OUT], "instruction 1 (r): acts on QB1 while the state of QB1 is in a resonator"),
    ([IN, Op("cz", (2, 0)), OUT], "instruction 1 (cz): acts on CR1, QB1 while the state of QB1"),
    ([IN, OTHER, OUT], "instruction 1 (move): CR1 already holds the state of QB1"),
    ([IN], "QB1 is left in CR1"),
]


@pytest.mark.parametrize(("ops", "message"), BROKEN, ids=[message for _, message in BROKEN])
def test_a_broken_rule_is_named(ops: list[Op], message: str) -> None:
    native = NativeCircuit(("QB1", "QB2", "CR1"), (("c", 2),), tuple(ops))
    (found,) = violations(native, architecture("deneb"))
    assert found.startswith(message)


def test_a_circuit_that_can_run_breaks_none() -> None:
    inside = [IN, Op("cz", (1, 2)), Op("r", (1,), (1.0, 0.0)), Op("cz", (2, 1)), OUT]
    after = [Op("barrier", (0, 1)), Op("delay", (0,), (1e-6,)), Op("measure", (0,), (), (1,))]
    native = NativeCircuit(("QB1", "QB2", "CR1"), (("c", 2),), (R, *inside, *after))
    assert violations(native, architecture("deneb")) == []


def test_components_must_be_the_machines_and_different() -> None:
    assert violations(NativeCircuit(("QB7", "QB1", "QB1"), (), ()), architecture("deneb")) == [
        "QB7 is no component of deneb",
        "a component is named twice",
    ]
