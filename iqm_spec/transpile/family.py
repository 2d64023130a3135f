"""Circuits that differ in the values of free parameters alone: routed once, fused all together.

Routing does not look at angles, with two exceptions that are taken care of. Where an angle is a
multiple of pi/4 Qiskit finds gates that fall away: such points go their own way. And where Qiskit
joins two-qubit blocks by their numbers, which it cannot do with symbols, the family's circuit would
have more gates than a point's own: one generic point is transpiled both ways to tell. All this is
decided by the parametrised circuit, its values, layout and options, never by the other points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from iqm_spec.errors import Refused
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.skeleton import Native, Skeleton
from iqm_spec.targets import Architecture
from iqm_spec.transpile.arrays import fuse_arrays, tidy_arrays
from iqm_spec.transpile.fuse import NEGLIGIBLE
from iqm_spec.transpile.many import named, transpile
from iqm_spec.transpile.moves import insert_moves
from iqm_spec.transpile.options import options_from
from iqm_spec.transpile.read import measures_last, physical_layout, read_ops, registers_of
from iqm_spec.transpile.route import route

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit
    from qiskit.circuit import Parameter, ParameterExpression

    Floats = NDArray[np.float64]

LARGEST_ANGLE = 1e4
"""Radians beyond which twelve decimals of an angle are no longer certain."""
_NEAR = 1e-3
"""Radians from a multiple of pi/4 at which an angle counts as one: Qiskit drops what differs from
the identity by 1e-8 in fidelity, which is some 1e-4 radians."""


@frozen
class Linear:
    """Numbers that are linear in the parameters: `constant + values @ slopes`, a column each."""

    constant: Floats
    slopes: Floats

    def at(self, values: Floats) -> Floats:
        """The numbers, a row per row of `values`."""
        found: Floats = values @ self.slopes + self.constant
        return found


@frozen
class Family:
    """One routing of a parametrised circuit. Its parameters' values make a row of `values`."""

    architecture: Architecture
    registers: tuple[tuple[str, int], ...]
    ops: tuple[Op, ...]
    """Routed, before fusion; the params of an `r` are columns of `turns`."""
    turns: Linear
    given: Linear
    """The angles of the parametrised circuit that depend on its parameters."""
    _skeletons: dict[bytes, tuple[Skeleton, list[int]]] = field(
        factory=dict, init=False, eq=False, repr=False
    )

    def serves(self, values: Floats) -> NDArray[np.bool_]:
        """Which rows of `values` are generic, so that the family's routing is their own."""
        import numpy as np

        angles = self.given.at(values)
        eighths = angles / (np.pi / 4)
        special = np.abs(eighths - np.round(eighths)) * (np.pi / 4) < _NEAR
        served: NDArray[np.bool_] = np.all(~special & (np.abs(angles) <= LARGEST_ANGLE), axis=1)
        return served

    def natives(self, values: Floats) -> list[Native]:
        """The circuit of each row of `values`."""
        import numpy as np

        fused, thetas, phis = fuse_arrays(self.ops, self.turns.at(values))
        played = thetas > NEGLIGIBLE
        angles = tidy_arrays(np.stack([thetas, phis], axis=-1))
        angles = angles.reshape(len(values), 2 * thetas.shape[1])
        rows: dict[bytes, list[int]] = {}
        for row, pattern in enumerate(played):
            rows.setdefault(pattern.tobytes(), []).append(row)
        found: dict[int, Native] = {}
        for alike in rows.values():
            skeleton, columns = self._skeleton(fused, played[alike[0]])
            filled = angles[np.ix_(alike, columns)].tolist()
            found |= {row: Native(skeleton, tuple(a)) for row, a in zip(alike, filled, strict=True)}
        return [found[row] for row in range(len(values))]

    def _skeleton(
        self, fused: Sequence[Op], played: NDArray[np.bool_]
    ) -> tuple[Skeleton, list[int]]:
        """The circuit with those `r` that are `played`, and the columns of its angles."""
        pattern = played.tobytes()
        if pattern not in self._skeletons:
            self._skeletons[pattern] = self._make_skeleton(fused, played.tolist())
        return self._skeletons[pattern]

    def _make_skeleton(self, fused: Sequence[Op], played: list[bool]) -> tuple[Skeleton, list[int]]:
        ops = [op for op in fused if op.name != "r" or played[int(op.params[0])]]
        whole = named(
            measures_last(insert_moves(ops, self.architecture)), self.architecture, self.registers
        )
        turns = [int(op.params[0]) for op in whole.ops if op.name == "r"]
        bare = tuple(evolve(op, params=()) if op.name == "r" else op for op in whole.ops)
        return Skeleton(evolve(whole, ops=bare)), [2 * t + part for t in turns for part in (0, 1)]


def family_of(
    circuit: QuantumCircuit,
    parameters: Sequence[Parameter],
    architecture: Architecture,
    options: Mapping[str, Json],
    layout: tuple[str, ...] | None,
) -> Family | None:
    """The family of `circuit`, whose values stand in the order of `parameters`; None for none.

    None where its angles are not linear in the parameters, where the circuit cannot be transpiled
    (its points tell why), where a point's own circuit would have fewer gates, and where it is sent
    verbatim.
    """
    from qiskit.exceptions import QiskitError

    if options.get("verbatim"):
        return None
    # generic angles, far from each other's multiples
    probe = [0.3 + ((i + 1) * 0.6180339887498949) % 1.0 for i in range(len(parameters))]
    try:
        bound = circuit.assign_parameters(dict(zip(parameters, probe, strict=True)))
        own = transpile(bound, architecture, options, layout)
        family = _routed(circuit, parameters, architecture, options, layout)
    except (QiskitError, Refused, TypeError, ValueError):
        return None
    if family is None:
        return None
    shared = _at(family, probe)
    gates = own.counts()
    fine = all(number <= gates.get(name, 0) for name, number in shared.counts().items())
    return family if fine else None


def _at(family: Family, values: Sequence[float]) -> NativeCircuit:
    import numpy as np

    return family.natives(np.array([values], dtype=float))[0].circuit()


def _routed(
    circuit: QuantumCircuit,
    parameters: Sequence[Parameter],
    architecture: Architecture,
    options: Mapping[str, Json],
    layout: tuple[str, ...] | None,
) -> Family | None:
    if any(hasattr(item.operation, "blocks") for item in circuit.data):
        return None  # the frame that turns a conditional gate's axis depends on the angles
    angles = [param for item in circuit.data for param in item.operation.params if _free(param)]
    given = linear(angles, parameters)
    if given is None:
        return None
    registers, places = registers_of(circuit)
    layout = physical_layout(circuit, architecture, layout)
    routed = route(circuit, architecture, options_from(options), layout)
    turned: list[Any] = []
    ops = read_ops(routed, places, lambda params: _columns(params, turned))
    turns = linear(turned, parameters)
    if turns is None:
        return None
    return Family(architecture, registers, tuple(ops), turns, given)


def _free(param: object) -> bool:
    return bool(getattr(param, "parameters", None))


def _columns(params: Sequence[Any], turned: list[Any]) -> tuple[float, ...]:
    """Puts the angles of an `r` aside; gives the places where they are."""
    start = len(turned)
    turned += params
    return tuple(float(start + i) for i in range(len(params)))


def linear(
    angles: Sequence[float | ParameterExpression], parameters: Sequence[Parameter]
) -> Linear | None:
    """`angles` as functions of `parameters`; None where one of them is not linear."""
    import numpy as np

    place = {parameter: i for i, parameter in enumerate(parameters)}
    constant = np.zeros(len(angles))
    slopes = np.zeros((len(parameters), len(angles)))
    for column, angle in enumerate(angles):
        expression: Any = angle
        if not _free(expression):
            constant[column] = float(expression)
            continue
        for parameter in expression.parameters:
            slope = expression.gradient(parameter)
            if _free(slope) or complex(slope).imag or parameter not in place:
                return None
            slopes[place[parameter], column] = complex(slope).real
        constant[column] = float(expression.bind(dict.fromkeys(expression.parameters, 0.0)))
    return Linear(constant, slopes)
