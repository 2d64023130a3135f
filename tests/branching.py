"""Outcomes of programs by following every branch: slow, plain, and nothing of the checked code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from iqm_spec.crosscheck.program import Conditional, Measure, Program, ProgramStep, Reset, Unitary
from tests.random_qasm import Matrix, embedded

_Worlds = list[tuple[int, Matrix]]
_NEVER = 1e-14


def outcomes_of(program: Program) -> dict[int, float]:
    """Probability of each final value of all bits."""
    width = 1 + max(_qubits(program.steps), default=0)
    state = np.zeros(1 << width, dtype=complex)
    state[0] = 1
    found: Counter[int] = Counter()
    for bits, end in _follow([(0, state)], program.steps, width):
        found[bits] += float(np.vdot(end, end).real)
    return dict(found)


def distance(one: dict[int, float], other: dict[int, float]) -> float:
    """Total variation distance."""
    keys = {*one, *other}
    return sum(abs(one.get(key, 0.0) - other.get(key, 0.0)) for key in keys) / 2


def _qubits(steps: Iterable[ProgramStep]) -> Iterable[int]:
    for step in steps:
        match step:
            case Unitary():
                yield from step.qubits
            case Measure() | Reset():
                yield step.qubit
            case Conditional():
                yield from _qubits(step.then)
                yield from _qubits(step.otherwise)


def _follow(worlds: _Worlds, steps: Sequence[ProgramStep], width: int) -> _Worlds:
    for step in steps:
        match step:
            case Unitary():
                matrix = embedded(step.matrix, list(step.qubits), width)
                worlds = [(bits, matrix @ state) for bits, state in worlds]
            case Conditional():
                after: _Worlds = []
                for bits, state in worlds:
                    taken = step.then if step.condition.test(bits) else step.otherwise
                    after += _follow([(bits, state)], taken, width)
                worlds = after
            case Measure() | Reset():
                worlds = _collapsed(worlds, step)
    return worlds


def _collapsed(worlds: _Worlds, step: Measure | Reset) -> _Worlds:
    after: _Worlds = []
    for bits, state in worlds:
        ones = (np.arange(len(state)) >> step.qubit & 1).astype(bool)
        for value in (0, 1):
            part = np.where(ones == bool(value), state, 0)
            if np.vdot(part, part).real < _NEVER:
                continue
            if isinstance(step, Measure):
                after.append((bits & ~(1 << step.bit) | value << step.bit, part))
            elif value:
                lowered = np.zeros_like(part)
                lowered[np.flatnonzero(ones) ^ (1 << step.qubit)] = part[ones]
                after.append((bits, lowered))
            else:
                after.append((bits, part))
    return after
