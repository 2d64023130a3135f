"""Does a stage show what the spec requires? Judged against a perfect device at the same shots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from iqm_spec.statistics.comparison import Comparison

ALLOWANCE = 5.0
"""A requirement gives way by so many standard deviations of a perfect device's own scatter."""
_NAMED = 3
"""Points that a message names."""


@frozen
class RequirementVerdict:
    """`status` is `passed` or `failed`; `reasons` say what failed, the worst points first."""

    status: str
    reasons: tuple[str, ...] = ()


@frozen(order=True)
class _Failure:
    """How far a point is on the wrong side of a bound, and the message that says so."""

    by: float
    text: str


def judge(
    require: Mapping[str, Any], points: Iterable[tuple[str, Comparison | None]]
) -> RequirementVerdict:
    """Whether every point (label, comparison) keeps every bound of `require`.

    `hellinger_fidelity: {min: m}` holds where F >= m times a perfect device's fidelity at these
    shots; `total_variation_distance: {max: m}` where the distance exceeds a perfect device's by at
    most m. So that sampling alone fails no point, five standard deviations of a perfect device's
    scatter are allowed on top. A point without ideal probabilities fails.
    """
    rules = {name: rule for name, rule in _RULES.items() if name in require}
    failures: dict[str, list[_Failure]] = {name: [] for name in rules}
    unknown = []
    for label, comparison in points:
        if comparison is None:
            unknown.append(label)
            continue
        for name, rule in rules.items():
            failure = rule(label, comparison, require[name])
            if failure:
                failures[name].append(failure)
    reasons = []
    for name in rules:
        worst = sorted(failures[name], key=lambda failure: -failure.by)
        reasons += [failure.text for failure in worst[:_NAMED]]
        if len(worst) > _NAMED:
            reasons[-1] += f", and {len(worst) - _NAMED} more points"
    if rules and unknown:
        named = ", ".join(unknown[:_NAMED])
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        reasons.append(f"{named}{more}: no ideal probabilities to judge by")
    return RequirementVerdict("failed" if reasons else "passed", tuple(reasons))


def _fidelity(label: str, measured: Comparison, bound: Mapping[str, float]) -> _Failure | None:
    perfect = (
        1.0 if measured.perfect_hellinger_fidelity is None else measured.perfect_hellinger_fidelity
    )
    least = bound["min"] * perfect
    short = least - measured.hellinger_fidelity
    if short <= ALLOWANCE * (measured.perfect_hellinger_fidelity_spread or 0.0):
        return None
    return _Failure(
        short,
        f"{label}: hellinger_fidelity {measured.hellinger_fidelity:.4f} "
        f"± {measured.hellinger_fidelity_error:.4f} is below {least:.4f} "
        f"(min {bound['min']:g} of {_perfect(measured.perfect_hellinger_fidelity)})",
    )


def _distance(label: str, measured: Comparison, bound: Mapping[str, float]) -> _Failure | None:
    most = bound["max"] + (measured.perfect_total_variation_distance or 0.0)
    above = measured.total_variation_distance - most
    if above <= ALLOWANCE * (measured.perfect_total_variation_distance_spread or 0.0):
        return None
    return _Failure(
        above,
        f"{label}: total_variation_distance {measured.total_variation_distance:.4f} "
        f"± {measured.total_variation_distance_error:.4f} is above {most:.4f} "
        f"(max {bound['max']:g} over {_perfect(measured.perfect_total_variation_distance)})",
    )


_RULES = {"hellinger_fidelity": _fidelity, "total_variation_distance": _distance}


def _perfect(value: float | None) -> str:
    return (
        "a perfect device's, not known here" if value is None else f"a perfect device's {value:.4f}"
    )
