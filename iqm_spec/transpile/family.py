"""Families of circuits that differ in parameter values only: routed once, fused together.

Routing does not depend on angles, with two exceptions. Where an angle is a multiple of pi/4 Qiskit
removes gates: such points are transpiled one by one. And Qiskit resynthesizes two-qubit blocks
numerically, which it cannot do with symbols: the family's circuit may have more gates than a
point's own. So one generic point is transpiled both ways and compared. The decision depends on the
parametric circuit, its values, layout and options only, never on other points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from iqm_spec.errors import Refused
from iqm_spec.json_types import Json
from iqm_spec.model import Op
from iqm_spec.native import Native, Template
from iqm_spec.targets import Architecture, ErrorProfile
from iqm_spec.transpile.fuse import NEGLIGIBLE, fuse_arrays, tidy_arrays
from iqm_spec.transpile.moves import insert_moves
from iqm_spec.transpile.pipeline import on_used_components, transpile
from iqm_spec.transpile.qiskit_circuits import (
    measures_last,
    physical_layout,
    read_ops,
    registers_of,
)
from iqm_spec.transpile.route import options_from, route

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit
    from qiskit.circuit import Parameter, ParameterExpression

    Floats = NDArray[np.float64]

LARGEST_ANGLE = 1e4
"""Radians beyond which twelve decimals of an angle are uncertain."""
_NEAR = 1e-3
"""Distance in radians at which an angle counts as a multiple of pi/4: Qiskit drops gates within
1e-8 in fidelity of the identity, about 1e-4 radians."""


@frozen
class LinearAngles:
    """Angles that are linear in parameters: `constant + values @ slopes`.

    `constant` has shape (angles,), `slopes` (parameters, angles).
    """

    constant: Floats
    slopes: Floats

    def at(self, values: Floats) -> Floats:
        """Angles of shape (rows, angles) for `values` of shape (rows, parameters)."""
        angles: Floats = values @ self.slopes + self.constant
        return angles


@frozen
class Family:
    """A parametric circuit, routed once.

    Arrays `values` have shape (circuits, parameters).
    """

    architecture: Architecture
    registers: tuple[tuple[str, int], ...]
    ops: tuple[Op, ...]
    """Routed, not yet fused; an `r` has columns of `rotation_angles` as its params."""
    rotation_angles: LinearAngles
    source_angles: LinearAngles
    """The angles of the parametric circuit that depend on its parameters."""
    _templates: dict[bytes, tuple[Template, list[int]]] = field(
        factory=dict, init=False, eq=False, repr=False
    )

    def serves(self, values: Floats) -> NDArray[np.bool_]:
        """Mask of the rows of `values` that are generic: the family's routing is theirs."""
        import numpy as np

        angles = self.source_angles.at(values)
        eighths = angles / (np.pi / 4)
        special = np.abs(eighths - np.round(eighths)) * (np.pi / 4) < _NEAR
        served: NDArray[np.bool_] = np.all(~special & (np.abs(angles) <= LARGEST_ANGLE), axis=1)
        return served

    def natives(self, values: Floats) -> list[Native]:
        """The circuit of each row of `values`."""
        import numpy as np

        fused, thetas, phis = fuse_arrays(self.ops, self.rotation_angles.at(values))
        played = thetas > NEGLIGIBLE
        angles = tidy_arrays(np.stack([thetas, phis], axis=-1))
        angles = angles.reshape(len(values), 2 * thetas.shape[1])
        rows: dict[bytes, list[int]] = {}
        for row, pattern in enumerate(played):
            rows.setdefault(pattern.tobytes(), []).append(row)
        natives: dict[int, Native] = {}
        for same_template in rows.values():
            template, columns = self._template(fused, played[same_template[0]])
            own_angles = angles[np.ix_(same_template, columns)].tolist()
            for row, row_angles in zip(same_template, own_angles, strict=True):
                natives[row] = Native(template, tuple(row_angles))
        return [natives[row] for row in range(len(values))]

    def _template(
        self, fused: Sequence[Op], played: NDArray[np.bool_]
    ) -> tuple[Template, list[int]]:
        """The template with the `r` that are `played`, and the columns of its angles."""
        pattern = played.tobytes()
        if pattern not in self._templates:
            ops = [op for op in fused if op.name != "r" or played[int(op.params[0])]]
            ops = measures_last(insert_moves(ops, self.architecture))
            circuit = on_used_components(ops, self.architecture, self.registers)
            rotations = [int(op.params[0]) for op in circuit.ops if op.name == "r"]
            ops = [evolve(op, params=()) if op.name == "r" else op for op in circuit.ops]
            columns = [2 * rotation + part for rotation in rotations for part in (0, 1)]
            self._templates[pattern] = Template(evolve(circuit, ops=tuple(ops))), columns
        return self._templates[pattern]


def family_of(
    circuit: QuantumCircuit,
    parameters: Sequence[Parameter],
    architecture: Architecture,
    options: Mapping[str, Json],
    layout: tuple[str, ...] | None,
    errors: ErrorProfile | None = None,
) -> Family | None:
    """The family of `circuit`, with values in the order of `parameters`; None where it has none.

    None where angles are not linear in the parameters, where the circuit cannot be transpiled (its
    points report why), where a point's own circuit has fewer gates, and for verbatim circuits.
    """
    import numpy as np
    from qiskit.exceptions import QiskitError

    if options.get("verbatim"):
        return None
    # generic angles, none of them near a multiple of another
    probe = [0.3 + ((i + 1) * 0.6180339887498949) % 1.0 for i in range(len(parameters))]
    try:
        bound = circuit.assign_parameters(dict(zip(parameters, probe, strict=True)))
        own = transpile(bound, architecture, options, layout, errors)
        family = _route_family(circuit, parameters, architecture, options, layout, errors)
    except (QiskitError, Refused, TypeError, ValueError):
        return None
    if family is None:
        return None
    (native,) = family.natives(np.array([probe], dtype=float))
    gates = own.counts()
    counts = native.circuit().counts()
    no_worse = all(number <= gates.get(name, 0) for name, number in counts.items())
    return family if no_worse else None


def _route_family(
    circuit: QuantumCircuit,
    parameters: Sequence[Parameter],
    architecture: Architecture,
    options: Mapping[str, Json],
    layout: tuple[str, ...] | None,
    errors: ErrorProfile | None,
) -> Family | None:
    if any(hasattr(item.operation, "blocks") for item in circuit.data):
        return None  # the axis of a conditional gate depends on the frame, and so on the angles
    angles = [
        param for item in circuit.data for param in item.operation.params if _has_parameters(param)
    ]
    source_angles = linear_angles(angles, parameters)
    if source_angles is None:
        return None
    registers, places = registers_of(circuit)
    layout = physical_layout(circuit, architecture, layout)
    routed = route(circuit, architecture, options_from(options), layout, errors)
    collected: list[Any] = []

    def collect(params: Sequence[Any]) -> tuple[float, ...]:
        """Collect the angles of an `r`; return their places in `collected`."""
        start = len(collected)
        collected.extend(params)
        return tuple(float(start + i) for i in range(len(params)))

    ops = read_ops(routed, places, collect)
    rotation_angles = linear_angles(collected, parameters)
    if rotation_angles is None:
        return None
    return Family(architecture, registers, tuple(ops), rotation_angles, source_angles)


def _has_parameters(param: object) -> bool:
    return bool(getattr(param, "parameters", None))


def linear_angles(
    angles: Sequence[float | ParameterExpression], parameters: Sequence[Parameter]
) -> LinearAngles | None:
    """`angles` as linear functions of `parameters`; None where one is not linear."""
    import numpy as np

    place = {parameter: i for i, parameter in enumerate(parameters)}
    constant = np.zeros(len(angles))
    slopes = np.zeros((len(parameters), len(angles)))
    for column, angle in enumerate(angles):
        expression: Any = angle
        if not _has_parameters(expression):
            constant[column] = float(expression)
            continue
        for parameter in expression.parameters:
            slope = expression.gradient(parameter)
            if _has_parameters(slope) or complex(slope).imag or parameter not in place:
                return None
            slopes[place[parameter], column] = complex(slope).real
        constant[column] = float(expression.bind(dict.fromkeys(expression.parameters, 0.0)))
    return LinearAngles(constant, slopes)
