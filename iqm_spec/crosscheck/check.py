"""`crosscheck`: does a native circuit do what an independent reading of its source says?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from iqm_spec.crosscheck import stabilizer
from iqm_spec.crosscheck.distribution import MOST_WORK, WIDEST_STATE, distribution, work
from iqm_spec.crosscheck.of_native import program_of_native
from iqm_spec.crosscheck.program import NotReadable, Program, Unitary
from iqm_spec.crosscheck.wires import Wired, wired
from iqm_spec.model import NativeCircuit

TOLERANCE = 1e-6
"""Total variation distance above which two distributions differ; angles have twelve decimals."""

APPROXIMATE = 1e-4
"""The same where Qiskit may leave out what differs from the identity, or from a simpler gate, by
less than 1e-8 in fidelity: from optimization level 2 on. No experiment sees so little."""

_NEVER = 1e-12


@frozen
class Agrees:
    """Both say the same, by `method`: `state vector` or `stabilizers`."""

    method: str


@frozen
class Differs:
    """They differ by the total variation distance `distance`; `what` gives an example in words."""

    distance: float
    what: str


@frozen
class NotChecked:
    """The circuit lies beyond the check's reach."""

    reason: str


Verdict = Agrees | Differs | NotChecked


def crosscheck(
    readings: Sequence[Program], native: NativeCircuit, tolerance: float = TOLERANCE
) -> Verdict:
    """Hold `native` against what its source says; distributions may differ by `tolerance`.

    Where the language leaves a phase open there are two readings; agreeing with one is enough.
    """
    try:
        own = program_of_native(native)
        verdicts = [_compared(reading, own, tolerance) for reading in readings]
    except NotReadable as unread:
        return NotChecked(unread.reason)
    except RecursionError:
        return NotChecked("nested too deep")
    for kind in (Agrees, NotChecked, Differs):
        for verdict in verdicts:
            if isinstance(verdict, kind):
                return verdict
    return NotChecked("no reading")


def _compared(source: Program, native: Program, tolerance: float) -> Verdict:
    if source.registers != native.registers:
        return Differs(1.0, f"classical registers {_listed(source)} became {_listed(native)}")
    size = sum(count for _, count in source.registers)
    methods = []
    beyond: NotReadable | None = None
    for one, other in _parts(wired(source), wired(native)):
        try:
            verdict = _part_compared(one, other, size, tolerance)
        except NotReadable as unread:  # another part may yet differ
            beyond = unread
            continue
        if isinstance(verdict, Differs):
            return verdict
        methods.append(verdict.method)
    if beyond is not None:
        raise beyond
    return Agrees("stabilizers" if "stabilizers" in methods else "state vector")


def _listed(program: Program) -> str:
    return ", ".join(f"{name}[{size}]" for name, size in program.registers) or "none"


def _part_compared(one: Wired, other: Wired, size: int, tolerance: float) -> Agrees | Differs:
    works = [work(part.gates) for part in (one, other)]
    read = len({*one.reading, *other.reading})
    fits = (
        all(width <= WIDEST_STATE and amount <= MOST_WORK for width, amount in works)
        and read <= WIDEST_STATE
    )
    if fits:
        return _by_states(one, other, size, tolerance)
    return _by_stabilizers(one, other, size)


def _by_states(one: Wired, other: Wired, size: int, tolerance: float) -> Agrees | Differs:
    import numpy as np

    bits = sorted({*one.reading, *other.reading})
    first = distribution(one.gates, one.reading).over(bits)
    second = distribution(other.gates, other.reading).over(bits)
    apart = float(np.abs(first - second).sum() / 2)
    if apart <= tolerance:
        return Agrees("state vector")
    index = int(np.argmax(np.abs(first - second)))
    outcome = sum((index >> place & 1) << bit for place, bit in enumerate(bits))
    return Differs(apart, _example(outcome, bits, size, float(first[index]), float(second[index])))


def _by_stabilizers(one: Wired, other: Wired, size: int) -> Agrees | Differs:
    first = stabilizer.outcomes(one.gates, one.reading)
    second = stabilizer.outcomes(other.gates, other.reading)
    bits = first.bits | second.bits
    first, second = stabilizer.widened(first, bits), stabilizer.widened(second, bits)
    apart = stabilizer.distance(first, second)
    if apart == 0:
        return Agrees("stabilizers")
    only_first = stabilizer.example(first, second)
    if only_first is not None:
        chances = (0.5**first.free, 0.0)
        return Differs(apart, _example(only_first, sorted(bits), size, *chances))
    only_second = stabilizer.example(second, first) or 0
    return Differs(apart, _example(only_second, sorted(bits), size, 0.0, 0.5**second.free))


def _example(outcome: int, bits: Sequence[int], size: int, source: float, native: float) -> str:
    """An outcome with both probabilities; bits of other parts of the circuit are dots."""
    shown = "".join(
        str(outcome >> bit & 1) if bit in bits else "." for bit in reversed(range(size))
    )
    return (
        f"outcome {shown} has probability {_chance(source)} by the source, "
        f"{_chance(native)} by the transpiled circuit"
    )


def _chance(probability: float) -> str:
    return "0" if probability < _NEVER else f"{probability:.6g}"


# --- parts that have nothing to do with each other ------------------------------------------------


def _parts(one: Wired, other: Wired) -> Iterator[tuple[Wired, Wired]]:
    """Both cut into pieces that share neither wires nor bits, of either."""
    bits = {*one.reading, *other.reading}
    groups = _Groups()
    sides = ((0, one), (1, other))
    for side, whole in sides:
        for gate in whole.gates:
            groups.join([(side, wire) for wire in gate.qubits])
        for bit, wire in whole.reading.items():
            groups.join([(side, wire), (2, bit)])
    members: dict[tuple[int, int], list[int]] = {}
    for bit in sorted(bits):
        members.setdefault(groups.root((2, bit)), []).append(bit)
    gates: list[dict[tuple[int, int], list[Unitary]]] = [{}, {}]
    for side, whole in sides:
        for gate in whole.gates:
            if gate.qubits:
                root = groups.root((side, gate.qubits[0]))
                gates[side].setdefault(root, []).append(gate)
    for root, own in members.items():
        first, second = (
            Wired(tuple(gates[side].get(root, ())), _only(whole.reading, own))
            for side, whole in sides
        )
        yield first, second


def _only(reading: Mapping[int, int], bits: Sequence[int]) -> dict[int, int]:
    return {bit: reading[bit] for bit in bits if bit in reading}


class _Groups:
    """Things that were joined with each other, by one of them as the root."""

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
