"""Hints: what a number with pi was meant to be, and what is nearest to a misspelt word."""

from __future__ import annotations

import math

import pytest

from iqm_spec.diagnostics import nearest, number_meant


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("pi", math.pi),
        ("pi/2", math.pi / 2),
        ("-pi/4", -math.pi / 4),
        ("2*pi", 2 * math.pi),
        ("0.5 * PI", math.pi / 2),
        ("3π/4", 3 * math.pi / 4),
    ],
)
def test_multiples_of_pi_are_written_out(text: str, value: float) -> None:
    assert number_meant(text) == f"write {value!r}: there are no expressions in a spec"


@pytest.mark.parametrize("text", ["", "pie", "pi/0", "pi**2", "1k", "${pi}", "sin(pi)"])
def test_other_texts_are_left_alone(text: str) -> None:
    assert number_meant(text) == ""


def test_nearest() -> None:
    assert nearest("shotz", ["shots", "seed"]) == "did you mean shots?"
    assert nearest("xyz", ["shots", "seed"]) == ""
