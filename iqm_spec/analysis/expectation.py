"""Expectation values of observables: of products of Z from counts, and of any over their bases.

A Pauli string is read as Qiskit prints it and as it prints bitstrings: the rightmost letter is for
bit 0. Registers stand in a bitstring with spaces between; a string has one letter per bit, none for
spaces.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from math import inf, sqrt

from attrs import frozen

from iqm_spec.analysis.groups import (
    Options,
    added_rows,
    bounded_merit,
    complete_ideal_of,
    group_result,
    group_rows,
    qubits_of,
    rows_of_circuits,
    value_at,
)
from iqm_spec.analysis.merit import Analysed, Merit
from iqm_spec.analysis.readout_mitigation import Mitigated, Readout
from iqm_spec.plan.label import count
from iqm_spec.stages.rows import Row
from iqm_spec.statistics.intervals import Mean

NAME = "expectation"

Terms = Mapping[str, float]
"""An observable: Pauli strings to their coefficients; read off counts, of I and Z only."""

_AT_ONCE = 1 << 14
"""Outcomes whose bits are in memory at once, one by one."""


def expectation(counts: Mapping[str, int], terms: Terms) -> Mean:
    """Mean of sum_k c_k P_k over the shots, and its standard error.

    Every shot gives one value of the sum, so that correlations between the terms are in the
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
    return Mean(mean, sqrt(max(square, least) / shots))


def ideal_expectation(probabilities: Mapping[str, float], terms: Terms) -> float:
    """The mean under given probabilities, which must be those of all outcomes."""
    values = _values(probabilities, terms)
    return sum(p * value for p, value in zip(probabilities.values(), values, strict=True))


def _values(outcomes: Collection[str], terms: Terms) -> array[float]:
    """`value_of` each outcome, in their order; of many at once."""
    import numpy as np

    values: array[float] = array("d")
    remaining = iter(outcomes)
    while block := [bits.replace(" ", "") for bits in islice(remaining, _AT_ONCE)]:
        plain = "".join(block).encode()
        if set(map(len, block)) != {width := len(block[0])} or len(plain) != width * len(block):
            values.extend(value_of(bits, terms) for bits in block)
            continue
        ones = np.frombuffer(plain, np.uint8).reshape(len(block), width) == ord("1")
        total = np.zeros(len(block))
        for string, coefficient in terms.items():
            if len(string) != width:
                raise _wrong_length(string, width)
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
            raise _wrong_length(string, len(plain))
        odd = sum(letter != "I" and bit == "1" for letter, bit in zip(string, plain, strict=True))
        total += -coefficient if odd % 2 else coefficient
    return total


def _wrong_length(string: str, bits: int) -> ValueError:
    return ValueError(f"{string} has {len(string)} letters for {bits} bits")


def measured_in(string: str, basis: str) -> bool:
    """Whether a Pauli string can be read off shots measured in a basis, letter by letter."""
    return len(string) == len(basis) and all(
        letter in ("I", axis) for letter, axis in zip(string, basis, strict=True)
    )


def as_z(string: str) -> str:
    """The string of I and Z that stands for a Pauli string after its basis was changed."""
    return "".join("I" if letter == "I" else "Z" for letter in string)


def expectations(rows: Iterable[Row], options: Options, readout: Readout) -> Iterator[Analysed]:
    """Means of all observables with their errors, and the ideal values where they are known."""
    basis: str | None = options.get("basis")
    observables: dict[str, Terms] = {}
    for name, declared in sorted(options["observables"].items()):
        terms = {declared: 1.0} if isinstance(declared, str) else declared
        observables[name] = {string: float(factor) for string, factor in terms.items()}
    chosen = rows_of_circuits(rows, options.get("circuits"))
    groups = [[row] for row in chosen] if basis is None else group_rows(chosen, basis)
    for group in groups:
        merits, notes = [], []
        by_basis: dict[str, list[Row]] = {}
        for row in group:
            measured = "Z" * qubits_of(row) if basis is None else str(value_at(row, basis))
            by_basis.setdefault(measured, []).append(row)
        shots = [_Shots(measured, added_rows(rows)) for measured, rows in by_basis.items()]
        for name, terms in observables.items():
            figures = _merits_of(name, terms, shots, readout)
            if isinstance(figures, str):
                notes.append(figures)
            else:
                merits += figures
        yield group_result(NAME, group, merits, *([basis] if basis else []), notes=notes)


@frozen
class _Shots:
    """A basis, and a row with the counts of all repeats in it."""

    basis: str
    row: Row


def _merits_of(
    name: str, terms: Terms, shots: Sequence[_Shots], readout: Readout
) -> list[Merit] | str:
    """The merits of one observable, or why it has none."""
    parts = _assign_terms(terms, shots)
    if isinstance(parts, str):
        return f"{name}: {parts}"
    total = _sum([expectation(shots[place].row.counts, part) for place, part in parts.items()])
    bound = sum(abs(c) for c in terms.values())
    merits = [bounded_merit(name, total.value, total.error, -bound, bound)]
    ideals = [complete_ideal_of(shots[place].row) for place in parts]
    exact = [
        ideal_expectation(ideal, part)
        for ideal, part in zip(ideals, parts.values(), strict=True)
        if ideal is not None
    ]
    if len(exact) == len(ideals):
        merits.append(Merit(f"{name}_ideal", round(sum(exact), 12)))
    mitigated = []
    for place, part in parts.items():
        counts = readout.mitigated(shots[place].row)
        if isinstance(counts, Mitigated):
            mitigated.append(counts.mean(partial(value_of, terms=part)))
    if len(mitigated) == len(parts):
        better = _sum(mitigated)
        # mitigation makes nothing surer: where all shots agree, the raw error is the larger one
        error = max(better.error, total.error)
        merits.append(bounded_merit(f"{name}_mitigated", better.value, error, -inf, inf))
    return merits


def _assign_terms(terms: Terms, shots: Sequence[_Shots]) -> dict[int, dict[str, float]] | str:
    """Which terms are read off which shots: the first whose basis fits."""
    parts: dict[int, dict[str, float]] = {}
    bits = qubits_of(shots[0].row)
    for string, coefficient in terms.items():
        if len(string) != bits:
            return (
                f"{string} has {count(len(string), 'letter')}, and {count(bits, 'bit')} "
                f"{'is' if bits == 1 else 'are'} measured"
            )
        fitting = (i for i, taken in enumerate(shots) if measured_in(string, taken.basis))
        place = next(fitting, None)
        if place is None:
            return f"no point measures {string}"
        part = parts.setdefault(place, {})
        part[as_z(string)] = part.get(as_z(string), 0.0) + coefficient
    return parts


def _sum(means: list[Mean]) -> Mean:
    """Shots of different points are independent."""
    return Mean(sum(mean.value for mean in means), sqrt(sum(mean.error**2 for mean in means)))
