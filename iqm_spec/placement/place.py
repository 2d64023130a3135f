"""Puts a native circuit on the qubits of a machine where its predicted success is highest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence, Set
from math import exp, inf
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from iqm_spec.model import NativeCircuit
from iqm_spec.placement.schedule import GATE_OF_OP, idles
from iqm_spec.placement.search import Problem, solve
from iqm_spec.placement.success import Losses
from iqm_spec.targets import Architecture, ErrorProfile, Locus
from iqm_spec.transpile.violations import is_calibrated

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@frozen
class Placement:
    """A native circuit on the qubits that were chosen for it.

    `success` is its predicted success; `is_optimal` says whether no placement of the circuit has a
    higher one.
    """

    circuit: NativeCircuit
    success: float
    is_optimal: bool


def best_placement(
    circuit: NativeCircuit,
    architecture: Architecture,
    profile: ErrorProfile,
    allowed: Collection[str] | None = None,
    avoided: Collection[Locus] = (),
) -> Placement | None:
    """The placement of a native circuit with the highest predicted success, or None.

    The circuit keeps its gates and their order: only the machine's components change. `allowed` are
    the qubits that may be used, `avoided` are couplings that may not, in either order.
    """
    losses = Losses(profile)
    usable = set(architecture.qubits if allowed is None else allowed)
    problem = Problem(
        _singles(circuit, architecture, losses, usable),
        _pairs(circuit, architecture, losses, {frozenset(locus) for locus in avoided}),
    )
    index = {name: place for place, name in enumerate(architecture.components)}
    start = [index[name] for name in circuit.components]
    found = solve(problem, start)
    if found is None:
        return None
    names = [architecture.components[place] for place in found.places]
    placed = relabeled(circuit, names, architecture)
    return Placement(placed, exp(-found.loss), found.is_optimal)


def relabeled(
    circuit: NativeCircuit, names: Sequence[str], architecture: Architecture
) -> NativeCircuit:
    """`circuit` with its components renamed to `names`, in the architecture's order."""
    order = sorted(range(len(names)), key=lambda v: architecture.components.index(names[v]))
    place = {v: new for new, v in enumerate(order)}
    ops = (evolve(op, qubits=tuple(place[q] for q in op.qubits)) for op in circuit.ops)
    return evolve(circuit, components=tuple(names[v] for v in order), ops=tuple(ops))


def _singles(
    circuit: NativeCircuit, architecture: Architecture, losses: Losses, usable: Set[str]
) -> NDArray[np.float64]:
    """Loss of what each component of the circuit does alone, on each of the machine's."""
    import numpy as np

    durations = losses.profile.durations
    waits: list[Counter[float]] = [Counter() for _ in circuit.components]
    for idle in idles(circuit, durations):
        waits[idle.component][idle.duration] += 1
    numbers: list[Counter[str]] = [Counter() for _ in circuit.components]
    for op in circuit.ops:
        if len(op.qubits) == 1:
            numbers[op.qubits[0]][op.name] += 1
    table = np.full((len(circuit.components), len(architecture.components)), inf)
    for v, name in enumerate(circuit.components):
        is_resonator = name in architecture.resonators
        for p, place in enumerate(architecture.components):
            if (place in architecture.resonators) is not is_resonator:
                continue
            if not is_resonator and place not in usable:
                continue
            table[v, p] = sum(
                number * _single(name, place, architecture, losses)
                for name, number in numbers[v].items()
            ) + sum(number * losses.idle(place, ns) for ns, number in waits[v].items())
    return table


def _single(name: str, place: str, architecture: Architecture, losses: Losses) -> float:
    """Loss of one instruction on a component."""
    if not is_calibrated(name, (place,), architecture):
        return inf
    if name == "measure":
        return losses.readout(place)
    return losses.gate(GATE_OF_OP[name], (place,)) if name in GATE_OF_OP else 0.0


def _pairs(
    circuit: NativeCircuit,
    architecture: Architecture,
    losses: Losses,
    avoided: Set[frozenset[str]],
) -> dict[tuple[int, int], NDArray[np.float64]]:
    """Loss of what each pair of the circuit's components does, on each of the machine's pairs."""
    import numpy as np

    numbers: dict[tuple[int, int], Counter[str]] = {}
    for op in circuit.ops:
        if op.name in ("cz", "move"):
            u, v = op.qubits
            numbers.setdefault((u, v), Counter())[op.name] += 1
    size = len(architecture.components)
    index = {name: place for place, name in enumerate(architecture.components)}
    tables: dict[str, NDArray[np.float64]] = {}
    for gate in ("cz", "move"):
        tables[gate] = np.full((size, size), inf)
        for locus in architecture.gates.get(gate, ()):
            if frozenset(locus) in avoided:
                continue
            a, b = index[locus[0]], index[locus[1]]
            tables[gate][a, b] = losses.gate(gate, locus)
            if gate == "cz":
                tables[gate][b, a] = tables[gate][a, b]
    pairs: dict[tuple[int, int], NDArray[np.float64]] = {}
    for (u, v), gates in numbers.items():
        table = np.zeros((size, size))
        for gate, number in gates.items():
            table += number * tables[gate]
        key, table = ((u, v), table) if u < v else ((v, u), table.T)
        pairs[key] = pairs[key] + table if key in pairs else table
    return pairs
