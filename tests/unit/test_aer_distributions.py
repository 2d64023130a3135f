"""Ideal probabilities of many outcomes seen: those that each has by itself."""

from __future__ import annotations

import numpy as np
import pytest

from iqm_spec.stages.aer import sampling as module
from iqm_spec.stages.aer.distributions import Affine, Dense
from iqm_spec.stages.aer.sampling import Bits

SEED = 20_261_128
REGISTERS = (("a", 8), ("unused", 2), ("b", 6))
CLBITS = (3, 0, 1, 2, 4, 7, 5, 6, 15, 10, 11, 12, 13, 14)
BITS = Bits(REGISTERS, CLBITS)


@pytest.fixture(params=[7, 1 << 14])
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(module, "_STRINGS_AT_ONCE", request.param)
    return int(request.param)


@pytest.mark.usefixtures("at_once")
def test_dense_probabilities_are_those_of_their_outcomes() -> None:
    print(f"seed {SEED}")
    draw = np.random.default_rng(SEED)
    probabilities = draw.exponential(size=1 << len(CLBITS))
    probabilities[::3] = 0
    probabilities /= probabilities.sum()
    seen = BITS.strings(draw.permutation(1 << len(CLBITS))[:100].tolist())
    found = Dense(BITS, probabilities).ideal(seen, 1000)
    assert not found.complete
    assert list(found.probabilities) == seen
    for text, p in found.probabilities.items():
        assert p == pytest.approx(probabilities[BITS.outcome(text)], rel=1e-11)


@pytest.mark.usefixtures("at_once")
def test_affine_outcomes_are_those_of_the_space() -> None:
    print(f"seed {SEED}")
    draw = np.random.default_rng(SEED)
    width = len(CLBITS)
    basis = np.zeros((width - 1, width), dtype=np.uint8)  # outcomes of one parity
    basis[:, :-1] = np.eye(width - 1, dtype=np.uint8)
    basis[:, -1] = 1
    offset = np.zeros(width, dtype=np.uint8)
    offset[2] = 1
    seen = BITS.strings(draw.permutation(1 << width)[:200].tolist())
    found = Affine(BITS, offset, basis).ideal(seen, 1000)
    odd = {text: 2.0 ** (1 - width) if text.count("1") % 2 else 0.0 for text in seen}
    assert dict(found.probabilities) == odd
    assert len(set(odd.values())) == 2
