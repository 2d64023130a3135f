"""Conditional circuits in the Aer stage: methods agree, noise applies, bounds hold."""

from __future__ import annotations

from math import pi

import pytest
from attrs import evolve

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.native import Native
from iqm_spec.stages.aer import AerOutcome, AerTask, Setup, run_jobs
from iqm_spec.stages.aer.distributions import TOO_MANY_BRANCHES, branched_distribution
from iqm_spec.targets import error_profile

pytestmark = pytest.mark.slow

COIN = NativeCircuit(
    ("QB1", "QB2"),
    (("a", 1), ("b", 1)),
    (
        Op("r", (0,), (pi / 2, 0.0)),
        Op("measure", (0,), (), (0,)),
        Op("cc_r", (1,), (pi, 0.0), (0,)),
        Op("measure", (1,), (), (1,)),
    ),
)


def one(circuit: NativeCircuit, setup: Setup, shots: int = 2000) -> AerOutcome:
    """The outcome of one circuit."""
    ((_, (outcome,)),) = run_jobs([([AerTask("x", circuit, shots, 1)], setup)])
    return outcome


@pytest.mark.parametrize(
    "method",
    ["automatic", "statevector", "density_matrix", "matrix_product_state", "stabilizer"],
)
def test_every_method_plays_a_conditional_gate_where_its_bit_is_1(method: str) -> None:
    found = one(COIN, Setup(method=method))
    assert set(found.counts) == {"0 0", "1 1"}
    assert abs(found.counts["0 0"] - 1000) < 120
    assert found.ideal is not None
    assert found.ideal.probabilities == pytest.approx({"0 0": 0.5, "1 1": 0.5})


@pytest.mark.parametrize("method", ["automatic", "density_matrix", "matrix_product_state"])
def test_a_conditional_gate_reads_what_was_read_out_and_errs_where_it_is_played(
    method: str,
) -> None:
    profile = error_profile("emerald")
    assert profile is not None
    errors = {**profile.depolarizing["prx"], ("QB2",): 0.5}
    noisy = evolve(
        profile,
        readout={**profile.readout, "QB1": (0.4, 0.0), "QB2": (0.0, 0.0)},
        depolarizing={**profile.depolarizing, "prx": errors},
    )
    found = one(NativeCircuit(COIN.components, COIN.registers, COIN.ops[1:]), Setup(noisy, method))
    assert "1 0" not in found.counts  # nothing is played, and nothing errs
    assert abs(found.counts["0 0"] - 1200) < 120
    assert abs(found.counts["0 1"] - 200) < 60  # a quarter of what is played wrongly read as 1


def test_ideal_branches_are_bounded() -> None:
    rounds = [
        op
        for i in range(24)
        for op in (
            Op("r", (0,), (pi / 2, 0.0)),
            Op("measure", (0,), (), (0,)),
            Op("cc_r", (1,), (0.1 + i, 0.0), (0,)),
        )
    ]
    circuit = NativeCircuit(("QB1", "QB2"), (("a", 1),), tuple(rounds))
    assert branched_distribution(Native.of(circuit)) == TOO_MANY_BRANCHES
    assert one(circuit, Setup(), shots=5).why_no_ideal == TOO_MANY_BRANCHES
    wide = NativeCircuit(tuple(f"QB{i}" for i in range(30)), COIN.registers, COIN.ops)
    assert branched_distribution(Native.of(wide)) == TOO_MANY_BRANCHES


def test_a_qubit_that_is_reset_starts_anew() -> None:
    ops = (*COIN.ops[:3], Op("reset", (0,)), Op("measure", (0,), (), (1,)))
    ideal = branched_distribution(Native.of(NativeCircuit(COIN.components, COIN.registers, ops)))
    assert not isinstance(ideal, str)
    assert ideal.ideal((), 1).probabilities == pytest.approx({"0 0": 0.5, "0 1": 0.5})
