"""A native circuit as a program."""

from __future__ import annotations

from cmath import exp
from functools import lru_cache
from math import cos, pi, sin
from typing import TYPE_CHECKING

from iqm_spec.crosscheck.library import phase, swap
from iqm_spec.crosscheck.program import (
    Branch,
    Condition,
    Measure,
    NotReadable,
    Program,
    Reset,
    Step,
    Unitary,
    controlled,
)
from iqm_spec.model import NativeCircuit, Op

if TYPE_CHECKING:
    from iqm_spec.crosscheck.program import Matrix

_NOTHING = ("barrier", "delay")


def program_of_native(native: NativeCircuit) -> Program:
    """The program that a machine runs; a MOVE exchanges a qubit and a resonator."""
    steps = tuple(_step(op) for op in native.ops if op.name not in _NOTHING)
    return Program(native.registers, steps)


def _step(op: Op) -> Step:
    match op.name:
        case "r":
            return Unitary(_r(*op.params), op.qubits)
        case "cz":
            return Unitary(_cz(), op.qubits)
        case "move":
            return Unitary(_swap(), op.qubits)
        case "measure":
            return Measure(op.qubits[0], op.clbits[0])
        case "reset":
            return Reset(op.qubits[0])
        case "cc_r":
            (bit,) = op.clbits
            condition = Condition(frozenset({bit}), lambda bits: bool(bits >> bit & 1))
            return Branch(condition, (Unitary(_r(*op.params), op.qubits),))
        case _:
            raise NotReadable(f"the native instruction `{op.name}`")


@lru_cache(maxsize=4096)
def _r(theta: float, phi: float) -> Matrix:
    import numpy as np

    c, s = cos(theta / 2), -1j * sin(theta / 2)
    return np.array([[c, exp(-1j * phi) * s], [exp(1j * phi) * s, c]])


@lru_cache(maxsize=1)
def _cz() -> Matrix:
    return controlled(phase(pi))


@lru_cache(maxsize=1)
def _swap() -> Matrix:
    return swap()
