"""The independent reading beside random programs whose outcomes were computed without a text."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iqm_spec.crosscheck import Program, readings_of_file
from iqm_spec.crosscheck.program import defer_measurements
from iqm_spec.crosscheck.state_vector import distribution
from tests.random_qasm import random_program

pytestmark = pytest.mark.slow


def probabilities(program: Program) -> np.ndarray:
    whole = defer_measurements(program)
    bits = range(sum(size for _, size in program.registers))
    return distribution(whole.gates, whole.reading).over(bits)


@pytest.mark.parametrize("version", [2, 3])
@settings(max_examples=60, deadline=None)
@given(random=st.randoms(use_true_random=False))
def test_a_file_is_read_as_it_was_meant(version: int, random: Random) -> None:
    program = random_program(random, version)
    (reading,) = readings_of_file(program.text.encode())
    assert reading.registers == (("first", 1), ("rest", program.bits - 1))
    assert np.allclose(probabilities(reading), program.probabilities, atol=1e-9)
