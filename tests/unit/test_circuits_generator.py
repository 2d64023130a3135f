"""Arguments of generators: what is wrong with them, and their one form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from iqm_spec.circuits import CircuitError, UnknownGenerator, find_generator, known_generators
from iqm_spec.circuits.generator import Parameter, complete_arguments, examine_arguments
from iqm_spec.circuits.generators import BUILT_IN

WRONG: list[tuple[str, Mapping[str, Any]]] = [
    ("ghz", {}),
    ("ghz", {"num_qbits": 3}),
    ("ghz", {"num_qubits": 0}),
    ("ghz", {"num_qubits": 1025}),
    ("ghz", {"num_qubits": "3"}),
    ("ghz", {"num_qubits": 2.5}),
    ("ghz", {"num_qubits": True}),
    ("ghz", {"num_qubits": None}),
    ("ghz", {"num_qubits": [3], "shape": "lines"}),
    ("bell", {"state": "psi"}),
    ("bernstein_vazirani", {"secret": 101}),
    ("bernstein_vazirani", {"secret": "102"}),
    ("bernstein_vazirani", {"secret": ""}),
    ("bernstein_vazirani", {"secret": "1" * 1024}),
    ("grover", {"marked": []}),
    ("grover", {"marked": ["01", "1"]}),
    ("grover", {"marked": ["01", "01"]}),
    ("grover", {"marked": ["00", "01", "10"]}),
    ("grover", {"marked": ["0x"]}),
    ("grover", {"marked": 3}),
    ("hardware_efficient", {"num_qubits": 2, "angles": [1, 2, 3]}),
    ("hardware_efficient", {"num_qubits": 2, "angles": ["a"]}),
    ("hardware_efficient", {"num_qubits": 1}),
    ("mirror", {"num_qubits": 2, "depth": -1, "density": 1.5, "pairs": "ring"}),
    ("phase_estimation", {"num_qubits": 2, "phase": math.nan}),
    ("phase_estimation", {"num_qubits": 2, "phase": 10**400}),
    ("qaoa_maxcut", {"num_qubits": 3, "gammas": 1, "betas": 1}),
    ("qaoa_maxcut", {"num_qubits": 3, "degree": 1, "gammas": 1, "betas": 1}),
    ("qaoa_maxcut", {"num_qubits": 3, "degree": 3, "gammas": 1, "betas": 1}),
    ("qaoa_maxcut", {"num_qubits": 3, "edges": [[0, 3]], "gammas": 1, "betas": 1}),
    ("qaoa_maxcut", {"num_qubits": 3, "edges": [[1, 1]], "gammas": 1, "betas": 1}),
    ("qaoa_maxcut", {"num_qubits": 3, "edges": [[0, 1], [1, 0]], "gammas": 1, "betas": 1}),
    ("qaoa_maxcut", {"num_qubits": 3, "edges": [], "gammas": 1, "betas": 1}),
    ("qaoa_maxcut", {"num_qubits": 3, "edges": [[0, 1, 2]], "gammas": 1, "betas": 1}),
    ("qaoa_maxcut", {"num_qubits": 4, "degree": 3, "gammas": [1, 2], "betas": [1, 2, 3]}),
    ("qft", {"num_qubits": 3, "state": "01", "swaps": 1}),
    ("qft", {"num_qubits": 3, "state": "01"}),
    ("tfim", {"num_qubits": 3, "steps": 1}),
    ("tfim", {"num_qubits": 3, "steps": 1, "time": 1, "dt": 1}),
    ("tfim", {"num_qubits": 3, "steps": 0, "time": 1}),
    ("tfim", {"num_qubits": 2, "steps": 1, "dt": 1, "periodic": True}),
    ("tfim", {"num_qubits": 3, "steps": 1, "dt": 1, "order": 3, "j": 2}),
]


def test_mistakes_are_told(snapshot: SnapshotAssertion) -> None:
    told = []
    for name, args in WRONG:
        problems = find_generator(name).check(args)
        assert problems, (name, args)
        shown = str(dict(args))
        told.append(f"{name} {shown if len(shown) < 120 else shown[:120] + '...'}")
        told += [f"  {item.argument}: {item.message} ({item.hint})" for item in problems]
    assert "\n".join(told) == snapshot


@pytest.mark.parametrize(("name", "args"), WRONG[:3])
def test_wrong_arguments_build_nothing(name: str, args: Mapping[str, Any]) -> None:
    with pytest.raises(CircuitError) as caught:
        find_generator(name).build(args)
    assert caught.value.code == "S406"
    with pytest.raises(CircuitError):
        find_generator(name).facts(args)


def test_whole_floats_are_integers_and_integers_are_floats() -> None:
    assert find_generator("ghz").build({"num_qubits": 3.0}) == find_generator("ghz").build(
        {"num_qubits": 3}
    )
    args = {"num_qubits": 2, "angles": [1, 2, 3, 4], "reps": 1}
    assert find_generator("hardware_efficient").complete(args)["angles"] == (1.0, 2.0, 3.0, 4.0)


def test_defaults_are_filled_in() -> None:
    assert find_generator("mirror").complete({"num_qubits": 3, "depth": 2}) == {
        "num_qubits": 3,
        "depth": 2,
        "density": 0.5,
        "pairs": "line",
        "seed": 0,
    }


def test_parameters_of_lists_bound_length_and_elements() -> None:
    numbers = Parameter("sizes", "ints", "Sizes.", minimum=1, maximum=5, longest=3)
    assert complete_arguments([numbers], {"sizes": [1, 5]}) == {"sizes": (1, 5)}
    assert "more than 3" in examine_arguments([numbers], {"sizes": [1, 1, 1, 1]})[1][0].message
    assert "from 1 to 5" in examine_arguments([numbers], {"sizes": [6]})[1][0].message


def test_unknown_generators_have_near_names() -> None:
    with pytest.raises(UnknownGenerator) as caught:
        find_generator("ghx")
    assert caught.value.code == "S405"
    assert "ghz" in caught.value.hint
    with pytest.raises(UnknownGenerator, match="no generator") as caught:
        find_generator("teleportation_of_sheep")
    assert "bell, bernstein_vazirani" in caught.value.hint


def test_known_names_are_found() -> None:
    assert set(BUILT_IN) <= set(known_generators())
    for name in known_generators():
        assert find_generator(name).name == name
