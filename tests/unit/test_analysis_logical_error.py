"""Decoding: detectors of shots, and rates that agree with those of Stim's own samples."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import stim

from iqm_spec.analysis.logical_error import CannotDecode, decode, detection_events, with_noise
from iqm_spec.statistics.intervals import wilson

PLAIN = stim.Circuit.generated("repetition_code:memory", distance=5, rounds=4)


def sampled(circuit: stim.Circuit, shots: int) -> np.ndarray:
    return circuit.compile_sampler(seed=3).sample(shots).astype(np.uint8)


def test_detectors_of_shots_are_those_that_stim_converts() -> None:
    bits = sampled(with_noise(PLAIN, 0.05), 500)
    found = detection_events(str(PLAIN), bits)
    joined = PLAIN.compile_m2d_converter().convert(
        measurements=bits.astype(bool), append_observables=True
    )
    assert (np.concatenate([found.detectors, found.observables], axis=1) == joined).all()
    assert found.detectors.any()


def test_without_noise_nothing_fires_and_nothing_is_wrong() -> None:
    outcome = decode(str(PLAIN), sampled(PLAIN, 300))
    assert (outcome.errors, outcome.detection_fraction, outcome.undecoded) == (0, 0.0, 0.0)
    assert outcome.low == 0.0
    assert 0 < outcome.high < 0.02


def test_decoding_helps_and_its_rate_is_that_of_a_decoder_of_ones_own() -> None:
    import pymatching

    noisy = with_noise(PLAIN, 0.04)
    bits = sampled(noisy, 4000)
    outcome = decode(str(PLAIN), bits, 0.04)
    detectors, observables = noisy.compile_detector_sampler(seed=9).sample(
        40_000, separate_observables=True
    )
    model = noisy.detector_error_model(decompose_errors=True)
    predicted = pymatching.Matching.from_detector_error_model(model).decode_batch(detectors)
    expected = (predicted != observables).mean()
    assert outcome.low < expected < outcome.high
    assert outcome.rate < outcome.undecoded / 3
    assert outcome.noise == 0.04


def test_the_noise_of_the_file_is_that_of_the_decoder() -> None:
    noisy = with_noise(PLAIN, 0.03)
    bits = sampled(noisy, 1000)
    of_file = decode(str(noisy), bits)
    assert of_file.noise is None
    assert of_file.errors == decode(str(PLAIN), bits, 0.03).errors
    assert decode(str(PLAIN), bits).noise == 0.01


@pytest.mark.parametrize(
    ("text", "bits", "noise", "why"),
    [
        ("M 0\nDETECTOR rec[-1]", np.zeros((3, 2), np.uint8), 0.1, "has 1 measurements"),
        ("M 0\nDETECTOR rec[-1]", np.zeros((3, 1), np.uint8), 0.1, "no observable"),
        ("M 0\nOBSERVABLE_INCLUDE(0) rec[-1]", np.zeros((0, 1), np.uint8), 0.1, "no shots"),
        ("M 0\nOBSERVABLE_INCLUDE(0) rec[-1]", np.zeros((3, 1), np.uint8), 0.7, "between 0"),
        (
            "M 0\nOBSERVABLE_INCLUDE(4000000000) rec[-1]",
            np.zeros((3, 1), np.uint8),
            0.1,
            "too many",
        ),
        (
            "H 0\nM 0\nDETECTOR rec[-1]\nOBSERVABLE_INCLUDE(0) rec[-1]",
            np.zeros((3, 1), np.uint8),
            0.1,
            "no matching decodes",
        ),
    ],
)
def test_what_cannot_be_decoded_is_told(
    text: str, bits: np.ndarray, noise: float, why: str
) -> None:
    with pytest.raises(CannotDecode, match=why):
        decode(text, bits, noise)


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymatching", None)
    with pytest.raises(CannotDecode, match="pymatching"):
        decode(str(PLAIN), sampled(PLAIN, 3))


def test_wilson_is_the_published_interval() -> None:
    # R. Newcombe, Statistics in Medicine 17, 857 (1998), table I: method 3
    for hits, shots, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)]:
        assert wilson(hits, shots) == pytest.approx((low, high), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)
