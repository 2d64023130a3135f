"""What is simulated (a circuit, shots, a seed, a setup) and what comes back."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from iqm_spec.model import NativeCircuit
from iqm_spec.native import Native
from iqm_spec.statistics.comparison import Comparison, Perfect, compare
from iqm_spec.targets.profile import ErrorProfile


def _native(circuit: Native | NativeCircuit) -> Native:
    return circuit if isinstance(circuit, Native) else Native.of(circuit)


@frozen
class AerTask:
    """One circuit to simulate. Its counts depend on circuit, shots and seed (and `Setup`) alone.

    `key` names it in answers and errors; `seed` is between 0 and 2^63 - 1.
    """

    key: str
    circuit: Native = field(converter=_native)
    shots: int
    seed: int


@frozen
class Setup:
    """How to simulate: with which noise (None: ideal), Aer method and device."""

    noise: ErrorProfile | None = None
    method: str = "automatic"
    device: str = "CPU"


@frozen
class Ideal:
    """Noise-free probabilities by bitstring: of what was seen or, if `complete`, of all outcomes.

    It is complete if at most 4096 outcomes are possible (probability above 1e-15). `perfect` is
    what a perfect device shows at these shots, or None if not even that is known.
    """

    probabilities: Mapping[str, float]
    complete: bool
    perfect: Perfect | None = None

    def compared(self, counts: Mapping[str, int]) -> Comparison:
        """The distances of counts to these probabilities."""
        return compare(counts, self.probabilities, self.complete, self.perfect)


@frozen
class AerOutcome:
    """Counts of one task by bitstring, as Qiskit prints it, and the ideal probabilities.

    `method` is Aer's; `notes` name approximations. `comparison` compares counts and ideal. If both
    are None, `why_no_ideal` says why.
    """

    key: str
    counts: Mapping[str, int]
    shots_returned: int
    method: str
    notes: tuple[str, ...] = ()
    ideal: Ideal | None = None
    comparison: Comparison | None = None
    why_no_ideal: str = ""
