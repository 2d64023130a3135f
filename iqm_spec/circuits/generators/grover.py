"""Grover's search for marked bitstrings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from iqm_spec.circuits.generator import Args, ArgumentProblem, Generator, Parameter, all_measured
from iqm_spec.circuits.generators.common import measure_all, new_circuit, ones

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_WIDEST = 24


def _circuit(args: Args) -> QuantumCircuit:
    from qiskit.circuit.library import grover_operator

    qubits = _width(args)
    circuit = new_circuit("grover", qubits)
    circuit.h(range(qubits))
    step = grover_operator(_oracle(args["marked"]))
    for _ in range(_iterations(args)):
        circuit.compose(step, inplace=True)
    return measure_all(circuit)


def _oracle(marked: tuple[str, ...]) -> QuantumCircuit:
    """Turns the sign of the marked basis states."""
    from qiskit import QuantumCircuit

    qubits = len(marked[0])
    oracle = QuantumCircuit(qubits)
    for bits in marked:
        zeros = sorted(set(range(qubits)) - set(ones(bits)))
        if zeros:
            oracle.x(zeros)
        _flip_all_ones(oracle)
        if zeros:
            oracle.x(zeros)
    return oracle


def _flip_all_ones(circuit: QuantumCircuit) -> None:
    """Turns the sign of all ones: a controlled Z of all qubits."""
    last = circuit.num_qubits - 1
    if last == 0:
        circuit.z(0)
        return
    circuit.h(last)
    circuit.mcx(list(range(last)), last)
    circuit.h(last)


def _width(args: Args) -> int:
    return len(args["marked"][0])


def _iterations(args: Args) -> int:
    """The number given, or that which makes a marked outcome most likely."""
    if args["iterations"] is not None:
        return int(args["iterations"])
    angle = math.asin(math.sqrt(len(args["marked"]) / 2 ** _width(args)))
    return round(math.pi / (4 * angle) - 0.5)


def _rules(args: Args) -> Iterator[ArgumentProblem]:
    marked = args["marked"]
    if not marked:
        yield ArgumentProblem("marked", "`marked` names no bitstring")
        return
    for bits in marked:
        if not bits or set(bits) - {"0", "1"}:
            yield ArgumentProblem("marked", f'`marked` must consist of 0 and 1, got "{bits}"')
            return
    if len({len(bits) for bits in marked}) > 1:
        yield ArgumentProblem("marked", "the bitstrings of `marked` differ in length")
    elif len(set(marked)) < len(marked):
        yield ArgumentProblem("marked", "a bitstring stands twice in `marked`")
    elif 2 * len(marked) > 2 ** len(marked[0]):
        yield ArgumentProblem("marked", "more than half of all bitstrings are marked")


GROVER = Generator(
    name="grover",
    version="1",
    summary="Grover's search: amplifies the marked bitstrings.",
    parameters=(
        Parameter(
            "marked",
            "texts",
            "The bitstring to find, or a list of them; qubit 0 is the last character.",
            longest=_WIDEST,
        ),
        Parameter(
            "iterations",
            "int",
            "How often the Grover operator is applied; the best number when left out.",
            default=None,
            minimum=0,
            maximum=10_000,
        ),
    ),
    example={"marked": ["101", "110"]},
    circuit=_circuit,
    shape=lambda args: all_measured(_width(args)),
    # a multi-controlled X on n qubits without spare ones takes about 25 n^2 native gates
    size=lambda args: 25 * _width(args) ** 2 * (len(args["marked"]) + 1) * (_iterations(args) + 1),
    rules=_rules,
)
