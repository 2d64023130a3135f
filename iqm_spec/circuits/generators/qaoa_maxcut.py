"""QAOA for the maximum cut of a graph, which is given or a random regular one."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING

from iqm_spec.circuits.generator import (
    Args,
    ArgumentProblem,
    Generator,
    Parameter,
    all_measured,
    num_qubits,
    seed,
)
from iqm_spec.circuits.generators.common import measure_all, new_circuit, seeded

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


Edge = tuple[int, int]


def _circuit(args: Args) -> QuantumCircuit:
    """exp(-i gamma C) with C = sum (1 - ZZ) / 2, then exp(-i beta sum X), layer by layer.

    E. Farhi, J. Goldstone, S. Gutmann, arXiv:1411.4028. The constant of C is a global phase.
    """
    from qiskit.circuit.library import qaoa_ansatz
    from qiskit.quantum_info import SparsePauliOp

    qubits = args["num_qubits"]
    edges = args["edges"]
    if edges is None:
        edges = random_regular(qubits, args["degree"], seeded(args["seed"]))
    cut = SparsePauliOp.from_sparse_list([("ZZ", edge, -0.5) for edge in edges], num_qubits=qubits)
    ansatz = qaoa_ansatz(cut, reps=_layers(args))
    values = [*_per_layer(args["betas"], _layers(args)), *_per_layer(args["gammas"], _layers(args))]
    circuit = new_circuit("qaoa_maxcut", qubits)
    circuit.compose(ansatz.assign_parameters(values), inplace=True)
    return measure_all(circuit)


def _layers(args: Args) -> int:
    """`p`, or as many as there are angles."""
    lengths = [len(args[name]) for name in ("gammas", "betas") if isinstance(args[name], tuple)]
    return int(args["p"] or (lengths[0] if lengths else 1))


def _per_layer(angles: float | tuple[float, ...], layers: int) -> list[float]:
    return list(angles) if isinstance(angles, tuple) else [angles] * layers


def _rules(args: Args) -> Iterator[ArgumentProblem]:
    yield from _graph_rules(args)
    layers = _layers(args)
    for name in ("gammas", "betas"):
        if isinstance(args[name], tuple) and len(args[name]) != layers:
            text = f"`{name}` has {len(args[name])} entries for {layers} layers"
            yield ArgumentProblem(name, text, "give one angle per layer, or one for all")


def _graph_rules(args: Args) -> Iterator[ArgumentProblem]:
    qubits, edges, degree = args["num_qubits"], args["edges"], args["degree"]
    if (edges is None) == (degree is None):
        text = "exactly one of `edges` and `degree` must be given"
        yield ArgumentProblem(None, text, "`edges` is the graph, `degree` draws a regular one")
    elif degree is not None and (degree >= qubits or degree * qubits % 2):
        text = f"no graph on {qubits} vertices is regular of degree {degree}"
        yield ArgumentProblem("degree", text, "degree < num_qubits, and one of them is even")
    for first, second in edges or ():
        if first == second or max(first, second) >= qubits:
            text = f"`edges` holds [{first}, {second}], which is no edge between {qubits} vertices"
            yield ArgumentProblem("edges", text, "vertices count from 0")
            return
    if edges is not None and len({frozenset(edge) for edge in edges}) < max(len(edges), 1):
        yield ArgumentProblem("edges", "`edges` is empty or holds an edge twice")


def _size(args: Args) -> int:
    qubits = int(args["num_qubits"])
    edges = qubits * args["degree"] // 2 if args["edges"] is None else len(args["edges"])
    return int((edges + 2 * qubits) * _layers(args))


def random_regular(vertices: int, degree: int, draw: Random) -> list[Edge]:
    """Edges of a random simple graph in which every vertex has `degree` neighbours, sorted.

    Stubs are paired at random and pairs that would not be simple are put back, until none is left
    or nothing fits; then it starts again (A. Steger, N. C. Wormald, Combinatorics, Probability and
    Computing 8, 377, 1999). `degree < vertices`, and their product is even.
    """
    if 2 * degree >= vertices:
        left_out = _sparse(vertices, vertices - 1 - degree, draw)
        every = (
            (first, second) for first in range(vertices) for second in range(first + 1, vertices)
        )
        return [edge for edge in every if edge not in left_out]
    return sorted(_sparse(vertices, degree, draw))


def _sparse(vertices: int, degree: int, draw: Random) -> set[Edge]:
    while True:
        edges = _attempt(vertices, degree, draw)
        if edges is not None:
            return edges


def _attempt(vertices: int, degree: int, draw: Random) -> set[Edge] | None:
    edges: set[Edge] = set()
    stubs = [vertex for vertex in range(vertices) for _ in range(degree)]
    while stubs:
        draw.shuffle(stubs)
        left: list[int] = []
        for first, second in zip(stubs[0::2], stubs[1::2], strict=True):
            edge = (min(first, second), max(first, second))
            if first == second or edge in edges:
                left += (first, second)
            else:
                edges.add(edge)
        if not _can_go_on(edges, left):
            return None
        stubs = left
    return edges


def _can_go_on(edges: set[Edge], stubs: list[int]) -> bool:
    free = sorted(set(stubs))
    if not free:
        return True
    return any(
        (first, second) not in edges
        for place, first in enumerate(free)
        for second in free[place + 1 :]
    )


QAOA_MAXCUT = Generator(
    name="qaoa_maxcut",
    version="1",
    summary="QAOA for maximum cut on a given or a random regular graph: exp(-i gamma C) with "
    "C = sum (1 - ZZ) / 2, which is rzz(-gamma) on each edge, then exp(-i beta sum X), which is "
    "rx(2 beta).",
    parameters=(
        num_qubits("Number of vertices.", minimum=2),
        Parameter(
            "edges",
            "edges",
            "The graph, as pairs of vertices counted from 0.",
            default=None,
            minimum=0,
            maximum=1023,
            longest=20_000,
        ),
        Parameter(
            "degree",
            "int",
            "Degree of a random regular graph drawn by `seed`, instead of `edges`.",
            default=None,
            minimum=1,
            maximum=64,
        ),
        Parameter(
            "gammas",
            "floats",
            "Cost angles in radians, one per layer or one for all.",
            longest=1000,
            free=True,
        ),
        Parameter(
            "betas",
            "floats",
            "Mixer angles in radians, one per layer or one for all.",
            longest=1000,
            free=True,
        ),
        Parameter(
            "p",
            "int",
            "Number of layers; as many as there are angles when left out.",
            default=None,
            minimum=1,
            maximum=1000,
        ),
        seed("Seed of the random graph."),
    ),
    example={"num_qubits": 6, "degree": 3, "gammas": [0.6, 0.3], "betas": 0.4},
    circuit=_circuit,
    shape=lambda args: all_measured(args["num_qubits"]),
    size=_size,
    rules=_rules,
)
