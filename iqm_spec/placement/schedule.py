"""When the instructions of a native circuit begin, and how long components idle in between.

As IQM's compiler does by default (`scheduling_strategy: str = "ASAP"` in iqm-pulse's
`iqm.cpc.compiler.standard_stages`, iqm-client 36), an instruction begins when its components are
free. Measurements that follow each other begin together, since readout is multiplexed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import define, evolve, frozen

from iqm_spec.model import NativeCircuit, Op

GATE_OF_OP = {"r": "prx", "cc_r": "cc_prx", "cz": "cz", "move": "move"}
"""IQM's names of the native gates; a profile's durations go by these."""

_NS = 1e9


@frozen
class Idle:
    """A component that holds a state waits `duration` nanoseconds, right before instruction `op`.

    `op` is an index into the circuit's instructions. A delay is an idle before itself.
    """

    op: int
    component: int
    duration: float


def idles(circuit: NativeCircuit, durations: Mapping[str, float]) -> list[Idle]:
    """Idle times of components that hold a state, in the order of the circuit.

    A component holds no state before its first gate, and a qubit holds none while its state is in
    a resonator: what is in its ground state does not relax. `durations` are nanoseconds by IQM's
    names of gates; an instruction without a duration there takes no time.
    """
    states = _States.of(circuit)
    busy_until = [0.0] * len(circuit.components)
    not_before = [0.0] * len(circuit.components)
    waits = []
    for first, group in _begin_together(circuit.ops):
        used = {q for op in group for q in op.qubits}
        begin = max((max(busy_until[q], not_before[q]) for q in used), default=0.0)
        if group[0].name == "barrier":
            for q in used:
                not_before[q] = begin
            continue
        for index, op in enumerate(group, start=first):
            duration = _duration(op, durations)
            for q in op.qubits:
                wait = begin - busy_until[q] + (duration if op.name == "delay" else 0.0)
                if states.holds[q] and wait > 0:
                    waits.append(Idle(index, q, wait))
                busy_until[q] = begin + duration
            states.follow(op)
    return waits


def with_idles(circuit: NativeCircuit, durations: Mapping[str, float]) -> NativeCircuit:
    """The circuit with a delay wherever a component that holds a state idles, and no others."""
    delays: dict[int, list[Op]] = {}
    for idle in idles(circuit, durations):
        delays.setdefault(idle.op, []).append(
            Op("delay", (idle.component,), (idle.duration / _NS,))
        )
    ops: list[Op] = []
    for index, op in enumerate(circuit.ops):
        ops += delays.get(index, [])
        if op.name != "delay":
            ops.append(op)
    return evolve(circuit, ops=tuple(ops))


def _begin_together(ops: Sequence[Op]) -> Iterator[tuple[int, list[Op]]]:
    """Runs of measurements of different qubits, other instructions singly; with their indices."""
    index = 0
    while index < len(ops):
        group = [ops[index]]
        if ops[index].name == "measure":
            measured = set(ops[index].qubits)
            for op in ops[index + 1 :]:
                if op.name != "measure" or measured & set(op.qubits):
                    break
                measured |= set(op.qubits)
                group.append(op)
        yield index, group
        index += len(group)


def _duration(op: Op, durations: Mapping[str, float]) -> float:
    if op.name == "delay":
        return op.params[0] * _NS
    return durations.get(GATE_OF_OP.get(op.name, op.name), 0.0)


@define
class _States:
    """Which components hold a state that relaxes."""

    holds: list[bool]
    in_resonator: set[int]
    """Resonators that a state has been moved into."""

    @classmethod
    def of(cls, circuit: NativeCircuit) -> _States:
        return cls([False] * len(circuit.components), set())

    def follow(self, op: Op) -> None:
        if op.name in ("r", "cc_r", "cz"):
            for q in op.qubits:
                self.holds[q] = True
        elif op.name == "reset":
            self.holds[op.qubits[0]] = False
        elif op.name == "move":
            qubit, resonator = op.qubits
            source, to = (
                (resonator, qubit) if resonator in self.in_resonator else (qubit, resonator)
            )
            self.holds[to], self.holds[source] = self.holds[source], False
            self.in_resonator ^= {resonator}
