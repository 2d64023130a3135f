"""Compares the outcomes of a native circuit with those of an independent reading of its source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from iqm_spec.crosscheck import stabilizer
from iqm_spec.crosscheck.program import (
    DeferredProgram,
    NotReadable,
    Program,
    Unitary,
    defer_measurements,
)
from iqm_spec.crosscheck.readings import program_of_native
from iqm_spec.crosscheck.state_vector import MOST_WORK, WIDEST_STATE, distribution, work
from iqm_spec.model import NativeCircuit

TOLERANCE = 1e-6
"""Total variation distance above which two distributions differ; angles have twelve decimals."""

APPROXIMATE = 1e-4
"""The same from optimization level 2 on, where Qiskit may drop or simplify gates within 1e-8 in
fidelity. No experiment resolves such a difference."""

_ZERO = 1e-12


@frozen
class Agrees:
    """The outcomes agree, by `method`: `state vector` or `stabilizers`."""

    method: str


@frozen
class Differs:
    """The outcomes differ by a total variation distance; `what` is an example as text."""

    distance: float
    what: str


@frozen
class NotChecked:
    """The check cannot handle the circuit."""

    reason: str


Verdict = Agrees | Differs | NotChecked


def crosscheck(
    readings: Sequence[Program], native: NativeCircuit, tolerance: float = TOLERANCE
) -> Verdict:
    """Compare `native` with readings of its source; distributions may differ by `tolerance`.

    Where the language leaves a phase open there are two readings; agreement with either suffices.
    """
    try:
        program = program_of_native(native)
        verdicts = [_compare(reading, program, tolerance) for reading in readings]
    except NotReadable as error:
        return NotChecked(error.reason)
    except RecursionError:
        return NotChecked("nested too deep")
    for kind in (Agrees, NotChecked, Differs):
        for verdict in verdicts:
            if isinstance(verdict, kind):
                return verdict
    return NotChecked("no reading")


def _compare(source: Program, native: Program, tolerance: float) -> Verdict:
    if source.registers != native.registers:
        return Differs(1.0, f"classical registers {_listed(source)} became {_listed(native)}")
    size = sum(count for _, count in source.registers)
    methods = []
    not_readable: NotReadable | None = None
    for parts in _independent_parts(defer_measurements(source), defer_measurements(native)):
        try:
            verdict = _compare_part(*parts, size, tolerance)
        except NotReadable as error:  # another part may still differ
            not_readable = error
            continue
        if isinstance(verdict, Differs):
            return verdict
        methods.append(verdict.method)
    if not_readable is not None:
        raise not_readable
    return Agrees("stabilizers" if "stabilizers" in methods else "state vector")


def _listed(program: Program) -> str:
    return ", ".join(f"{name}[{size}]" for name, size in program.registers) or "none"


def _compare_part(
    source: DeferredProgram, native: DeferredProgram, size: int, tolerance: float
) -> Agrees | Differs:
    works = [work(part.gates) for part in (source, native)]
    read = len({*source.reading, *native.reading})
    fits = (
        all(width <= WIDEST_STATE and amount <= MOST_WORK for width, amount in works)
        and read <= WIDEST_STATE
    )
    if fits:
        return _by_states(source, native, size, tolerance)
    return _by_stabilizers(source, native, size)


def _by_states(
    source: DeferredProgram, native: DeferredProgram, size: int, tolerance: float
) -> Agrees | Differs:
    import numpy as np

    bits = sorted({*source.reading, *native.reading})
    first = distribution(source.gates, source.reading).over(bits)
    second = distribution(native.gates, native.reading).over(bits)
    distance = float(np.abs(first - second).sum() / 2)
    if distance <= tolerance:
        return Agrees("state vector")
    index = int(np.argmax(np.abs(first - second)))
    outcome = sum((index >> place & 1) << bit for place, bit in enumerate(bits))
    return Differs(
        distance, _example(outcome, bits, size, float(first[index]), float(second[index]))
    )


def _by_stabilizers(
    source: DeferredProgram, native: DeferredProgram, size: int
) -> Agrees | Differs:
    first = stabilizer.outcomes(source.gates, source.reading)
    second = stabilizer.outcomes(native.gates, native.reading)
    bits = first.bits | second.bits
    first, second = stabilizer.widened(first, bits), stabilizer.widened(second, bits)
    distance = stabilizer.distance(first, second)
    if distance == 0:
        return Agrees("stabilizers")
    only_first = stabilizer.example(first, second)
    if only_first is not None:
        probabilities = (0.5**first.free, 0.0)
        return Differs(distance, _example(only_first, sorted(bits), size, *probabilities))
    only_second = stabilizer.example(second, first) or 0
    return Differs(distance, _example(only_second, sorted(bits), size, 0.0, 0.5**second.free))


def _example(outcome: int, bits: Sequence[int], size: int, source: float, native: float) -> str:
    """Text of an outcome and both probabilities; bits of other parts of the circuit are dots."""
    shown = "".join(
        str(outcome >> bit & 1) if bit in bits else "." for bit in reversed(range(size))
    )
    return (
        f"outcome {shown} has probability {_probability(source)} by the source, "
        f"{_probability(native)} by the transpiled circuit"
    )


def _probability(probability: float) -> str:
    return "0" if probability < _ZERO else f"{probability:.6g}"


# --- independent parts ----------------------------------------------------------------------------


def _independent_parts(
    source: DeferredProgram, native: DeferredProgram
) -> Iterator[tuple[DeferredProgram, DeferredProgram]]:
    """Both cut into the same parts, which share neither wires nor bits."""
    bits = {*source.reading, *native.reading}
    groups = _Groups()
    sides = ((0, source), (1, native))
    for side, program in sides:
        for gate in program.gates:
            groups.join([(side, wire) for wire in gate.qubits])
        for bit, wire in program.reading.items():
            groups.join([(side, wire), (2, bit)])
    members: dict[tuple[int, int], list[int]] = {}
    for bit in sorted(bits):
        members.setdefault(groups.root((2, bit)), []).append(bit)
    gates: list[dict[tuple[int, int], list[Unitary]]] = [{}, {}]
    for side, program in sides:
        for gate in program.gates:
            if gate.qubits:
                root = groups.root((side, gate.qubits[0]))
                gates[side].setdefault(root, []).append(gate)
    for root, own in members.items():
        source_part, native_part = (
            DeferredProgram(
                tuple(gates[side].get(root, ())),
                {bit: program.reading[bit] for bit in own if bit in program.reading},
            )
            for side, program in sides
        )
        yield source_part, native_part


class _Groups:
    """Disjoint sets of (side, wire) and bits (union-find)."""

    def __init__(self) -> None:
        self._above: dict[tuple[int, int], tuple[int, int]] = {}

    def root(self, item: tuple[int, int]) -> tuple[int, int]:
        while (above := self._above.get(item, item)) != item:
            self._above[item] = self._above.get(above, above)
            item = above
        return item

    def join(self, items: Sequence[tuple[int, int]]) -> None:
        for item in items[1:]:
            self._above[self.root(item)] = self.root(items[0])
