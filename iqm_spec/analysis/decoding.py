"""Detectors and observables of shots of a Stim circuit, and how often decoding goes wrong.

C. Gidney, "Stim: a fast stabilizer circuit simulator", Quantum 5, 497 (2021); O. Higgott and
C. Gidney, "Sparse Blossom", Quantum 9, 1600 (2025), is what PyMatching 2 does.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.analysis.intervals import wilson

if TYPE_CHECKING:
    import numpy as np
    import stim
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Bits = NDArray[np.uint8]

USUAL_NOISE = 0.01
"""Strength of the noise that a decoder assumes where neither the file nor its user says one."""

MOST_DETECTORS = 1_000_000
MOST_EVENTS = 1 << 28
"""Detectors and observables of a circuit, and these times shots."""


class CannotDecode(ValueError):
    """Why shots of a circuit have no detectors, or these cannot be decoded; `hint`: what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@frozen(eq=False)
class DetectionEvents:
    """Whether each detector fired and each observable was flipped, against a run without noise.

    `detectors` is shots x detectors, `observables` shots x observables, in the file's order.
    """

    detectors: Bools
    observables: Bools


@frozen
class Decoded:
    """How often a decoder was wrong about any observable.

    `rate` is that of errors per shot with its standard error, `low` and `high` a 95 % interval
    (Wilson's). `undecoded` is how often an observable was flipped, `detection_fraction` how often
    a detector fired. `noise` is what the decoder assumed: a strength, or None for the file's own.
    """

    shots: int
    errors: int
    rate: float
    error: float
    low: float
    high: float
    undecoded: float
    detection_fraction: float
    noise: float | None


def detection_events(text: str, bits: Bits) -> DetectionEvents:
    """The detectors and observables of shots x measurements; CannotDecode where there are none."""
    circuit = _circuit(text)
    if bits.shape[1] != circuit.num_measurements:
        told = f"the circuit has {circuit.num_measurements} measurements, a shot {bits.shape[1]}"
        raise CannotDecode(told, "is it the file that was run?")
    number = circuit.num_detectors + circuit.num_observables
    if number > MOST_DETECTORS or number * len(bits) > MOST_EVENTS:
        raise CannotDecode(f"{number:,} detectors and observables of {len(bits):,} shots: too many")
    converter = circuit.compile_m2d_converter()
    detectors, observables = converter.convert(
        measurements=bits.astype(bool), separate_observables=True
    )
    return DetectionEvents(detectors, observables)


def decode(text: str, bits: Bits, noise: float | None = None) -> Decoded:
    """Decode shots by minimum-weight perfect matching.

    `noise` is the strength of `with_noise`; None takes the file's own channels, or `USUAL_NOISE`
    where it has none. CannotDecode where there is nothing to decode, or no matching does it.
    """
    events = detection_events(text, bits)
    if not events.observables.shape[1]:
        raise CannotDecode("the circuit has no observable", "mark one by OBSERVABLE_INCLUDE")
    if not len(bits):
        raise CannotDecode("there are no shots")
    circuit = _circuit(text)
    if noise is None and circuit == circuit.without_noise():
        noise = USUAL_NOISE
    matching = _matching(circuit if noise is None else with_noise(circuit, noise))
    try:
        predicted = matching.decode_batch(events.detectors)
    except ValueError as error:  # a detector fired that no error of the model reaches
        raise CannotDecode(
            "the shots show errors that the noise assumed for decoding cannot make",
            "give `noise`, a strength for all gates and measurements",
        ) from error
    wrong = int((predicted.astype(bool) != events.observables).any(axis=1).sum())
    shots = len(bits)
    rate = wrong / shots
    low, high = wilson(wrong, shots)
    return Decoded(
        shots=shots,
        errors=wrong,
        rate=rate,
        error=sqrt(rate * (1 - rate) / shots),
        low=low,
        high=high,
        undecoded=float(events.observables.any(axis=1).mean()),
        detection_fraction=float(events.detectors.mean()) if events.detectors.size else 0.0,
        noise=noise,
    )


def with_noise(circuit: stim.Circuit, strength: float) -> stim.Circuit:
    """The circuit with noise of one strength in the place of its own.

    Depolarizing after every gate, on the qubits that it acts on; every measured bit flipped, and
    every reset to the wrong state, with that probability. Idle qubits are left alone.
    """
    import stim

    if not 0 < strength < 0.5:
        raise CannotDecode(f"a noise of {strength} is not between 0 and 0.5")
    noisy = stim.Circuit()
    for item in circuit.without_noise():
        if isinstance(item, stim.CircuitRepeatBlock):
            body = with_noise(item.body_copy(), strength)
            noisy.append(stim.CircuitRepeatBlock(item.repeat_count, body))
            continue
        gate = stim.gate_data(item.name)
        targets = item.targets_copy()
        if gate.produces_measurements and item.name != "MPAD":
            noisy.append(item.name, targets, strength)
        else:
            noisy.append(item)
        if gate.is_reset:
            flip = "Z_ERROR" if item.name in ("RX", "MRX") else "X_ERROR"
            noisy.append(flip, [target.value for target in targets], strength)
        elif gate.is_unitary and all(target.is_qubit_target for target in targets):
            name = "DEPOLARIZE2" if gate.is_two_qubit_gate else "DEPOLARIZE1"
            noisy.append(name, targets, strength)
    return noisy


def _circuit(text: str) -> stim.Circuit:
    try:
        import stim
    except ImportError as error:
        raise CannotDecode(
            "detectors need the package stim, which is not installed",
            "pip install 'iqm-spec[stim]'",
        ) from error
    return stim.Circuit(text)


def _matching(circuit: stim.Circuit) -> Any:
    try:
        import pymatching
    except ImportError as error:
        raise CannotDecode(
            "decoding needs the package pymatching, which is not installed",
            "pip install 'iqm-spec[stim]'",
        ) from error
    try:
        model = circuit.detector_error_model(
            decompose_errors=True, approximate_disjoint_errors=True
        )
        return pymatching.Matching.from_detector_error_model(model)
    except ValueError as error:
        first = str(error).strip().partition("\n")[0]
        raise CannotDecode(f"no matching decodes the circuit: {first}") from error
