"""What the width of the placement search gains and costs, on a machine of 54 qubits.

python -m tools.search_width
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from time import process_time
from typing import TYPE_CHECKING

from iqm_spec.emulator.deviation import Deviation, deviating_profile
from iqm_spec.model import NativeCircuit
from iqm_spec.placement import search
from iqm_spec.placement.place import best_placement
from iqm_spec.targets import architecture
from iqm_spec.transpile import transpile

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

WIDTHS = (200, 1_000, 4_000, 20_000)
SPREAD, SEEDS = 0.5, range(1, 6)


def chain(size: int, *, closed: bool) -> QuantumCircuit:
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(size)
    circuit.h(range(size))
    for first in range(size if closed else size - 1):
        circuit.rzz(0.3, first, (first + 1) % size)
    circuit.rx(0.5, range(size))
    circuit.measure_all()
    return circuit


def grid(rows: int, columns: int) -> QuantumCircuit:
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(rows * columns)
    circuit.h(range(rows * columns))
    for place in range(rows * columns):
        if (place + 1) % columns:
            circuit.cz(place, place + 1)
        if place + columns < rows * columns:
            circuit.cz(place, place + columns)
    circuit.h(range(rows * columns))
    circuit.measure_all()
    return circuit


def circuits() -> Mapping[str, NativeCircuit]:
    """Native circuits on Emerald by name."""
    machine = architecture("emerald")
    made = {f"chain of {n}": chain(n, closed=False) for n in (16, 20, 30, 40)}
    made |= {f"ring of {n}": chain(n, closed=True) for n in (10, 20)}
    made |= {"grid 4 x 5": grid(4, 5), "grid 2 x 4": grid(2, 4)}
    return {name: transpile(circuit, machine) for name, circuit in made.items()}


def main() -> None:
    """Print a line per width: optima proven, loss over that of the widest, CPU seconds."""
    machine, natives = architecture("emerald"), circuits()
    profiles = [deviating_profile("emerald", Deviation(SPREAD, seed)) for seed in SEEDS]
    losses: dict[int, list[float]] = {}
    print("width   optimal   loss over the widest's, mean and worst   CPU s, mean and worst")
    rows = []
    for width in reversed(WIDTHS):
        search.WIDTH = width
        seconds, optimal = [], 0
        for native in natives.values():
            for profile in profiles:
                start = process_time()
                placement = best_placement(native, machine, profile)
                seconds.append(process_time() - start)
                assert placement is not None
                optimal += placement.is_optimal
                losses.setdefault(width, []).append(-log(placement.success))
        pairs = zip(losses[width], losses[WIDTHS[-1]], strict=True)
        ratios = [loss / least for loss, least in pairs]
        rows.append(
            f"{width:>6,}   {optimal:>3} of {len(ratios)}   {sum(ratios) / len(ratios):.4f} "
            f"{max(ratios):.4f}   {sum(seconds) / len(seconds):.3f} {max(seconds):.3f}"
        )
    print("\n".join(reversed(rows)))


if __name__ == "__main__":
    main()
