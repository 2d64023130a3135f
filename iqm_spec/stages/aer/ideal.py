"""The ideal distribution of a circuit, by the first way that can have it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from iqm_spec.native import Native
from iqm_spec.stages.aer.affine import affine
from iqm_spec.stages.aer.amplitudes import amplitudes
from iqm_spec.stages.aer.branches import follow
from iqm_spec.stages.aer.dense import distributions
from iqm_spec.stages.aer.method import STATEVECTOR_QUBITS, choose_method
from iqm_spec.stages.aer.shape import shape_of, without_moves
from iqm_spec.stages.aer.tasks import Ideal


class Known(Protocol):
    """An ideal distribution."""

    def ideal(self, seen: Collection[str], shots: int) -> Ideal | str:
        """Ideal probabilities of what was seen or of all outcomes, or why there are none."""


def ideals(named: Mapping[Native, str], device: str) -> dict[Native, Known | str]:
    """The ideal distribution of each circuit, or why there is none; names are for errors."""
    import qiskit_aer  # noqa: F401 - gives circuits their `save_...` instructions

    found: dict[Native, Known | str] = {}
    small = []
    for circuit, name in named.items():
        plain = without_moves(circuit)
        if any(op.name == "cc_r" for op in plain.template.structure.ops):
            found[circuit] = follow(plain)
        elif not shape_of(plain).final:
            found[circuit] = "measured or reset midway: no single ideal state"
        elif shape_of(plain).width <= STATEVECTOR_QUBITS:
            small.append((circuit, plain, name))
        else:
            found[circuit] = _wide(plain, device, name)
    return found | dict(_by_statevector(small, device))


def _by_statevector(
    small: list[tuple[Native, Native, str]], device: str
) -> Iterable[tuple[Native, Known]]:
    if not small:
        return []
    plain, names = [item[1] for item in small], [item[2] for item in small]
    known = distributions(plain, "statevector", device, names=names)
    return [(circuit, one) for (circuit, _, _), one in zip(small, known, strict=True)]


def _wide(circuit: Native, device: str, name: str) -> Known | str:
    choice = choose_method(circuit, 1, noisy=False)
    if choice.method == "stabilizer":
        return affine(circuit, device, name)
    if choice.exact:
        return distributions([circuit], choice.method, device, names=[name])[0]
    return amplitudes(circuit, choice.method, device, name)
