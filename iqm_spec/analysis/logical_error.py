"""Detectors and observables of shots of a Stim circuit, and how often decoding goes wrong.

C. Gidney, "Stim: a fast stabilizer circuit simulator", Quantum 5, 497 (2021); O. Higgott and
C. Gidney, "Sparse Blossom", Quantum 9, 1600 (2025), is what PyMatching 2 does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from math import sqrt
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.analysis.groups import Group, Options, group_result, group_rows, rows_of_circuits
from iqm_spec.analysis.merit import Analysed, Merit
from iqm_spec.circuits import CircuitError
from iqm_spec.engine.saved import SavedRun
from iqm_spec.json_types import Json
from iqm_spec.plan.label import count
from iqm_spec.results.export import stim_texts
from iqm_spec.stages.rows import Row
from iqm_spec.stages.shots import shots_of
from iqm_spec.statistics.intervals import wilson
from iqm_spec.store import Store

if TYPE_CHECKING:
    import numpy as np
    import stim
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Bits = NDArray[np.uint8]

NAME = "logical_error"

DEFAULT_NOISE = 0.01
"""Strength of the noise that a decoder assumes where neither the file nor its user names any."""

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
    """How often a decoder was wrong about at least one observable.

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
        message = f"the circuit has {circuit.num_measurements} measurements, a shot {bits.shape[1]}"
        raise CannotDecode(message, "check that this is the file that was run")
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

    `noise` is the strength of `with_noise`; None takes the file's own channels, or `DEFAULT_NOISE`
    where it has none. CannotDecode where there is nothing to decode, or no matching does it.
    """
    events = detection_events(text, bits)
    if not events.observables.shape[1]:
        raise CannotDecode("the circuit has no observable", "mark one by OBSERVABLE_INCLUDE")
    if not len(bits):
        raise CannotDecode("there are no shots")
    circuit = _circuit(text)
    if noise is None and circuit == circuit.without_noise():
        noise = DEFAULT_NOISE
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


def can_decode() -> bool:
    """Whether the packages that decode are installed; they are not imported."""
    return all(find_spec(name) is not None for name in ("pymatching", "stim"))


def logical_error(
    store: Store, saved: SavedRun, rows: Iterable[Row], options: Options
) -> Iterator[Analysed]:
    """One result per point and stage, its repeats decoded together."""
    chosen = rows_of_circuits(rows, options.get("circuits"))
    try:
        texts = stim_texts(store, saved, list({row.point.id: row.point for row in chosen}.values()))
    except CircuitError as error:
        for group in group_rows(chosen):
            yield group_result(NAME, group, [], notes=[f"{error.message}; {error.hint}"])
        return
    for group in group_rows(row for row in chosen if row.point.id in texts):
        yield _result(store, group, texts[group[0].point.id], options.get("noise"))


def _result(store: Store, group: Group, text: str, noise: float | None) -> Analysed:
    import numpy as np

    shots = [bits for row in group if (bits := shots_of(store, row)) is not None]
    left_out = len(group) - len(shots)
    notes = [f"{count(left_out, 'record')} left out: the shots are not kept"] if left_out else []
    if not shots:
        return group_result(NAME, group, [], notes=notes)
    try:
        outcome = decode(text, np.concatenate(shots), noise)
    except CannotDecode as error:
        reason = f"{error}; {error.hint}" if error.hint else str(error)
        return group_result(NAME, group, [], notes=[*notes, reason])
    noise_assumed: Json = "the file's" if outcome.noise is None else outcome.noise
    details = {"shots": outcome.shots, "errors": outcome.errors, "decoder_noise": noise_assumed}
    spread = (outcome.undecoded * (1 - outcome.undecoded) / outcome.shots) ** 0.5
    bare = wilson(round(outcome.undecoded * outcome.shots), outcome.shots)
    return group_result(
        NAME,
        group,
        [
            Merit("logical_error_rate", outcome.rate, outcome.error, outcome.low, outcome.high),
            Merit("undecoded_error_rate", outcome.undecoded, spread, *bare),
            Merit("detection_fraction", outcome.detection_fraction),
        ],
        notes=notes,
        details=details,
    )
