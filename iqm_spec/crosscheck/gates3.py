"""Gates of OpenQASM 3 under modifiers: `inv`, `pow`, `ctrl` and `negctrl`."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from iqm_spec.crosscheck.program import (
    MOST_STEPS,
    WIDEST_STEP,
    NotReadable,
    Unitary,
    controlled,
    inverse,
    power,
    product,
)

_MOST_REPEATS = 64


@frozen
class Modifier:
    """`inv`, `pow` with its exponent, or `ctrl` and `negctrl` with the number of controls."""

    kind: str
    value: float = 1

    @property
    def controls(self) -> int:
        """Qubits that the modifier adds in front."""
        return int(self.value) if self.kind in ("ctrl", "negctrl") else 0


def modified(
    steps: list[Unitary], modifiers: Sequence[Modifier], qubits: Sequence[int]
) -> list[Unitary]:
    """`steps`, which act on the last of `qubits`, under `modifiers`, the outermost first."""
    controls = sum(modifier.controls for modifier in modifiers)
    start = controls
    for modifier in reversed(modifiers):
        match modifier.kind:
            case "inv":
                steps = _inverted(steps)
            case "pow":
                steps = _powered(steps, modifier.value, qubits[start:])
            case _:
                start -= modifier.controls
                for control in qubits[start : start + modifier.controls]:
                    steps = [_controlled(one, control, modifier.kind == "ctrl") for one in steps]
    return steps


def _inverted(steps: Sequence[Unitary]) -> list[Unitary]:
    return [Unitary(inverse(one.matrix), one.qubits) for one in reversed(steps)]


def _controlled(step: Unitary, control: int, value: bool) -> Unitary:
    if len(step.qubits) >= WIDEST_STEP:
        raise NotReadable("a gate with many controls")
    return Unitary(controlled(step.matrix, int(value)), (control, *step.qubits))


def _powered(steps: list[Unitary], exponent: float, qubits: Sequence[int]) -> list[Unitary]:
    if float(exponent).is_integer() and abs(exponent) <= _MOST_REPEATS:
        base = _inverted(steps) if exponent < 0 else steps
        if len(base) * abs(exponent) > MOST_STEPS:
            raise NotReadable(f"more than {MOST_STEPS:,} gates")
        return base * int(abs(exponent))
    if len(qubits) > WIDEST_STEP:
        raise NotReadable("a power of a wide gate")
    return [Unitary(power(product(steps, qubits), exponent), tuple(qubits))]
