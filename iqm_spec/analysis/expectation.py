"""Expectation values of products of Z, from counts and from probabilities.

A Pauli string is read as Qiskit prints it and as it prints bitstrings: the rightmost letter is for
bit 0. Registers stand in a bitstring with spaces between; a string has one letter per bit, none for
spaces.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping
from itertools import islice
from math import sqrt

from attrs import frozen

Terms = Mapping[str, float]
"""Pauli strings of I and Z to their coefficients."""

_AT_ONCE = 1 << 14
"""Outcomes whose bits are in memory at once, one by one."""


@frozen
class Expectation:
    """A mean and its standard error."""

    value: float
    error: float


def expectation(counts: Mapping[str, int], terms: Terms) -> Expectation:
    """Mean of sum_k c_k P_k over the shots, and its standard error.

    Every shot gives one value of the whole sum, so that correlations between the terms are in the
    error. It is at least that of one shot in all of them having the value farthest away: that no
    other was seen does not prove that there is none. ValueError where a string has not a letter for
    each bit.
    """
    shots = sum(counts.values())
    if shots <= 0:
        raise ValueError("there are no shots")
    values = _values(counts, terms)
    weighed = zip(counts.values(), values, strict=True)
    mean = sum(count * value for count, value in weighed) / shots
    weighed = zip(counts.values(), values, strict=True)
    square = sum(count * (value - mean) ** 2 for count, value in weighed) / shots
    widest = 2 * sum(abs(coefficient) for coefficient in terms.values())
    chance = 1 / shots if shots > 1 else 0.5
    least = widest**2 * chance * (1 - chance)
    return Expectation(mean, sqrt(max(square, least) / shots))


def ideal_expectation(probabilities: Mapping[str, float], terms: Terms) -> float:
    """The mean under given probabilities, which must be those of all outcomes."""
    values = _values(probabilities, terms)
    return sum(p * value for p, value in zip(probabilities.values(), values, strict=True))


def _values(outcomes: Collection[str], terms: Terms) -> array[float]:
    """`value_of` each outcome, in their order; of many at once."""
    import numpy as np

    values: array[float] = array("d")
    left = iter(outcomes)
    while some := [bits.replace(" ", "") for bits in islice(left, _AT_ONCE)]:
        plain = "".join(some).encode()
        if set(map(len, some)) != {width := len(some[0])} or len(plain) != width * len(some):
            values.extend(value_of(bits, terms) for bits in some)
            continue
        ones = np.frombuffer(plain, np.uint8).reshape(len(some), width) == ord("1")
        total = np.zeros(len(some))
        for string, coefficient in terms.items():
            if len(string) != width:
                raise _misfit(string, width)
            read = [place for place, letter in enumerate(string) if letter != "I"]
            odd = np.logical_xor.reduce(ones[:, read], axis=1)
            total += np.where(odd, -coefficient, coefficient)
        values.frombytes(total.tobytes())
    return values


def value_of(bits: str, terms: Terms) -> float:
    """The eigenvalue of a sum of Pauli strings of I and Z on one outcome."""
    plain = bits.replace(" ", "")
    total = 0.0
    for string, coefficient in terms.items():
        if len(string) != len(plain):
            raise _misfit(string, len(plain))
        odd = sum(letter != "I" and bit == "1" for letter, bit in zip(string, plain, strict=True))
        total += -coefficient if odd % 2 else coefficient
    return total


def _misfit(string: str, bits: int) -> ValueError:
    return ValueError(f"{string} has {len(string)} letters for {bits} bits")


def measured_in(string: str, basis: str) -> bool:
    """Whether a Pauli string can be read off shots measured in a basis, letter by letter."""
    return len(string) == len(basis) and all(
        letter in ("I", axis) for letter, axis in zip(string, basis, strict=True)
    )


def as_z(string: str) -> str:
    """The string of I and Z that stands for a Pauli string after its basis was changed."""
    return "".join("I" if letter == "I" else "Z" for letter in string)
