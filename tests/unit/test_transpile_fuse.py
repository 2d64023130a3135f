"""Fusion of single-qubit gates, and what is left of angles."""

from __future__ import annotations

from math import pi

import pytest

from iqm_spec.model import Op
from iqm_spec.transpile.fuse import fuse, product, rotation, split, tidy


def r(theta: float, phi: float = 0.0, qubit: int = 0) -> Op:
    return Op("r", (qubit,), (theta, phi))


CZ = Op("cz", (0, 1))
MEASURE = Op("measure", (0,), (), (0,))
X, Z = [r(pi)], [r(pi), r(pi, pi / 2)]

CASES = [
    ("a gate stays", [r(0.3, 0.2)], [(0.3, 0.2)]),
    ("a negative angle turns round", [r(-0.3)], [(0.3, pi)]),
    ("gates about one axis add up", [r(0.3), r(0.4)], [(0.7, 0.0)]),
    ("gates that cancel vanish", [r(0.3), r(-0.3)], []),
    ("a full turn vanishes", [r(2 * pi)], []),
    ("what is negligible is not played", [r(1e-10)], []),
    ("a rotation about z is not played", Z, []),
    ("but turns the next axis", [*Z, CZ, r(0.5)], [(0.5, pi)]),
    ("through a measurement it is forgotten", [*Z, MEASURE, r(0.5)], [(0.5, 0.0)]),
    ("and by a reset", [*Z, Op("reset", (0,)), r(0.5)], [(0.5, 0.0)]),
    ("a barrier keeps gates apart", [r(0.3), Op("barrier", (0,)), r(0.3)], [(0.3, 0), (0.3, 0)]),
    ("a delay too", [r(0.3), Op("delay", (0,), (1e-6,)), r(0.3)], [(0.3, 0), (0.3, 0)]),
    ("x twice about other axes is z", [r(pi, 0.3), r(pi, 0.4), CZ, r(1, 0.2)], [(1, 0.0)]),
    ("half turns are exact", [r(pi / 2), r(pi / 2)], [(pi, 0.0)]),
    ("a MOVE takes the frame along", [*Z, Op("move", (0, 1)), Op("move", (0, 1)), r(1)], [(1, pi)]),
]


@pytest.mark.parametrize(("ops", "left"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_is_left(ops: list[Op], left: list[tuple[float, float]]) -> None:
    fused = fuse(ops)
    assert [op.params for op in fused if op.name == "r"] == left
    assert [op for op in fused if op.name != "r"] == [op for op in ops if op.name != "r"]


@pytest.mark.parametrize("theta", [0.0, 1e-12, 0.4, pi / 2, pi - 1e-7, pi - 1e-12, pi, 3.5, 6.0])
@pytest.mark.parametrize("phi", [-3.0, 0.0, pi / 2, 3.1])
@pytest.mark.parametrize("frame", [0.0, 0.7, -3.1])
def test_a_split_multiplies_to_the_matrix(theta: float, phi: float, frame: float) -> None:
    from cmath import exp

    z = (exp(-0.5j * frame), 0, 0, exp(0.5j * frame))
    matrix = product(z, rotation(theta, phi))
    a, b, c = split(matrix)
    again = product((exp(-0.5j * c), 0, 0, exp(0.5j * c)), rotation(a, b))
    overlap = sum(complex(x).conjugate() * y for x, y in zip(matrix, again, strict=True))
    assert abs(overlap) == pytest.approx(2, abs=1e-12)
    assert 0 <= a <= pi


@pytest.mark.parametrize(
    ("angle", "tidied"),
    [
        (pi / 2 + 1e-15, pi / 2),
        (-pi, pi),
        (-1e-16, 0.0),
        (5 * pi / 4, -3 * pi / 4),
        (2 * pi - 1e-15, 0.0),
        (0.1 + 0.2, 0.3),
        (-0.30000000000000004, -0.3),
        (4.0, round(4.0 - 2 * pi, 12)),
    ],
)
def test_tidy_angles(angle: float, tidied: float) -> None:
    assert tidy(angle) == tidied
