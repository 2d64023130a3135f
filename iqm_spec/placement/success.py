"""Predicted success: the product of the fidelities of all that a native circuit does.

Average gate fidelities, readout fidelities, and the average fidelity of relaxation while a
component idles (`schedule.py`). Errors that cancel, or that do not change the outcome, are counted
as errors: for circuits with few measured bits the prediction is pessimistic.
"""

from __future__ import annotations

from math import exp, inf, log

from attrs import frozen

from iqm_spec.model import NativeCircuit
from iqm_spec.placement.schedule import GATE_OF_OP, idles
from iqm_spec.targets import ErrorProfile, Locus
from iqm_spec.targets.profile import average_fidelity, locus_fidelity

_LIKE = {"cc_prx": "prx"}
"""Gates that err as another one does."""


@frozen(slots=False, eq=False)
class Losses:
    """Negative logarithms of fidelities by what errs; infinite where the profile has no figure."""

    profile: ErrorProfile

    def gate(self, gate: str, locus: Locus) -> float:
        """Of a gate by IQM's name: `prx`, `cz`, `move`, `cc_prx`; the order of `locus` is free."""
        fidelity = locus_fidelity(self.profile, _LIKE.get(gate, gate), locus)
        return inf if fidelity is None else _loss(fidelity)

    def readout(self, qubit: str) -> float:
        """Of a measurement: the average over both states."""
        errors = self.profile.readout.get(qubit)
        return inf if errors is None else _loss(1 - sum(errors) / 2)

    def idle(self, component: str, duration: float) -> float:
        """Of relaxation for `duration` nanoseconds."""
        t1, t2 = self.profile.t1.get(component), self.profile.t2.get(component)
        if t1 is None or t2 is None:
            return inf
        return _loss(average_fidelity(0.0, [(t1, t2)], duration))


def predicted_success(circuit: NativeCircuit, profile: ErrorProfile) -> float:
    """The predicted success of a native circuit, 0 to 1."""
    losses = Losses(profile)
    total = 0.0
    for op in circuit.ops:
        names = tuple(circuit.components[q] for q in op.qubits)
        if op.name == "measure":
            total += losses.readout(names[0])
        elif op.name in GATE_OF_OP:
            total += losses.gate(GATE_OF_OP[op.name], names)
    for idle in idles(circuit, profile.durations):
        total += losses.idle(circuit.components[idle.component], idle.duration)
    return exp(-total)


def _loss(fidelity: float) -> float:
    return -log(fidelity) if fidelity > 0 else inf
