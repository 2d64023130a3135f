"""What is left of a Stim circuit that a machine does: steps in time order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen


@frozen
class Step:
    """One instruction: a gate by Qiskit's name, `measure`, `reset`, or a `barrier` on all qubits.

    `qubits` are Stim's numbers, `line` that of the file, `bit` the number of a measurement.
    """

    name: str
    qubits: tuple[int, ...]
    line: int
    bit: int = -1


def meaningful(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps less those that no measurement could tell.

    A qubit that nothing has acted on is in the state 0 and needs no reset; what is done to one
    alone behind its last measurement or two-qubit gate does nothing to any result.
    """
    return tuple(_without_unseen(tuple(_without_needless(steps)))[::-1])


def _without_needless(steps: Iterable[Step]) -> Iterable[Step]:
    touched: set[int] = set()
    for step in steps:
        if step.name != "reset" or step.qubits[0] in touched:
            yield step
            touched.update(step.qubits)


def _without_unseen(steps: Sequence[Step]) -> list[Step]:
    """From the last step to the first."""
    kept: list[Step] = []
    seen: set[int] = set()
    for step in reversed(steps):
        if step.name in ("measure", "barrier") or len(step.qubits) > 1:
            seen.update(step.qubits)
        if step.name == "barrier" or seen.intersection(step.qubits):
            kept.append(step)
    return kept
