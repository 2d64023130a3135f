"""The ideal distribution of a circuit, by the first way that can have it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from attrs import field, frozen

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.native import Native, Template
from iqm_spec.stages.aer.engine import clifford_circuit, run_aer
from iqm_spec.stages.aer.method import (
    BOND_LIMIT,
    STATEVECTOR_QUBITS,
    Shape,
    choose_method,
    gates_only,
    in_line,
    shape_of,
    shape_of_template,
    without_moves,
)
from iqm_spec.stages.aer.sampling import (
    Bits,
    counts_by_aer,
    draw_bits,
    draw_outcomes,
    integers_of_bits,
    mps_options,
)
from iqm_spec.stages.aer.tasks import AerTask, Ideal, Setup
from iqm_spec.statistics.comparison import Perfect, compare, perfect_device

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit
    from qiskit.circuit import Parameter
    from qiskit.result import Result
    from qiskit_aer.noise import NoiseModel

    Floats = NDArray[np.float64]
    Binary = NDArray[np.uint8]
    States = NDArray[np.complex128]
    Integers = NDArray[np.int64]


class IdealDistribution(Protocol):
    """An ideal distribution."""

    def ideal(self, seen: Collection[str], shots: int) -> Ideal | str:
        """Ideal probabilities of what was seen or of all outcomes, or why there are none."""


def ideal_distributions(
    named: Mapping[Native, str], device: str
) -> dict[Native, IdealDistribution | str]:
    """The ideal distribution of each circuit, or why there is none; names are for errors."""
    import qiskit_aer  # noqa: F401 - gives circuits their `save_...` instructions

    found: dict[Native, IdealDistribution | str] = {}
    small = []
    for circuit, name in named.items():
        plain = without_moves(circuit)
        if any(op.name == "cc_r" for op in plain.template.structure.ops):
            found[circuit] = branched_distribution(plain)
        elif not shape_of(plain).final:
            found[circuit] = "measured or reset midway: no single ideal state"
        elif shape_of(plain).width <= STATEVECTOR_QUBITS:
            small.append((circuit, plain, name))
        else:
            found[circuit] = _wide(plain, device, name)
    return found | dict(_by_statevector(small, device))


def _by_statevector(
    small: list[tuple[Native, Native, str]], device: str
) -> Iterable[tuple[Native, IdealDistribution]]:
    if not small:
        return []
    plain, names = [item[1] for item in small], [item[2] for item in small]
    known = dense_distributions(plain, "statevector", device, names=names)
    return [(circuit, one) for (circuit, _, _), one in zip(small, known, strict=True)]


def _wide(circuit: Native, device: str, name: str) -> IdealDistribution | str:
    choice = choose_method(circuit, 1, noisy=False)
    if choice.method == "stabilizer":
        return affine_distribution(circuit, device, name)
    if choice.exact:
        return dense_distributions([circuit], choice.method, device, names=[name])[0]
    return amplitude_distribution(circuit, choice.method, device, name)


MOST_OUTCOMES = 4096
"""Ideal probabilities are kept whole up to so many possible outcomes."""
IMPOSSIBLE = 1e-15
"""Ideal probabilities up to here are taken for 0."""


@frozen(eq=False)
class Dense:
    """The probability of each outcome of the bits that are measured."""

    bits: Bits
    probabilities: Floats = field(repr=False)

    def sample(self, shots: int, seed: int) -> dict[str, int]:
        """Counts of `shots` draws."""
        drawn = draw_outcomes(self.probabilities, shots, seed)
        return dict(zip(self.bits.strings(drawn), drawn.values(), strict=True))

    def ideal(self, seen: Collection[str], shots: int) -> Ideal:
        """The distribution as ideal probabilities: whole if it is small, else of what was seen."""
        import numpy as np

        possible = np.flatnonzero(self.probabilities > IMPOSSIBLE)
        complete = possible.size <= MOST_OUTCOMES
        perfect = perfect_device(self.probabilities[possible], shots)
        found: dict[str, float] = {}
        if complete:
            found.update(zip(self.bits.strings(possible.tolist()), self._at(possible), strict=True))
            return Ideal(found, complete, perfect)
        weights = 1 << np.arange(len(self.bits.clbits))
        for some, table in self.bits.tables(seen):
            found.update(zip(some, self._at(table @ weights), strict=True))
        return Ideal(found, complete, perfect)

    def _at(self, outcomes: NDArray[np.int64]) -> Iterator[float]:
        return map(_tidy, self.probabilities[outcomes].tolist())

    def with_readout_errors(self, errors: Sequence[tuple[float, float]]) -> Dense:
        """As read out: bit j flips from 0 with `errors[j][0]`, from 1 with `errors[j][1]`."""
        import numpy as np

        read = self.probabilities
        for j, (p10, p01) in enumerate(errors):
            pairs = read.reshape(-1, 2, 2**j)
            zero, one = pairs[:, 0], pairs[:, 1]
            read = np.stack([(1 - p10) * zero + p01 * one, p10 * zero + (1 - p01) * one], axis=1)
        return Dense(self.bits, read.reshape(-1))


def dense_distributions(
    circuits: Sequence[Native],
    method: str,
    device: str,
    noise: NoiseModel | None = None,
    names: Sequence[str] = (),
) -> list[Dense]:
    """Exact distributions of circuits whose measurements are final, in one run of Aer.

    Circuits of one skeleton are one circuit for Aer, with many values of its parameters. (That is
    safe because nothing is measured: Aer 0.17 gives wrong counts where a measurement comes before
    a gate with a parameter.) The noise model's readout errors have no part in the distributions
    (`Dense.with_readout_errors`).
    """
    groups: dict[Template, list[int]] = {}
    for i, circuit in enumerate(circuits):
        groups.setdefault(circuit.template, []).append(i)
    built, binds = [], []
    for skeleton, members in groups.items():
        one, parameters = _parametrised(skeleton)
        built.append(one)
        columns = zip(*(circuits[i].angles for i in members), strict=True)
        binds.append(dict(zip(parameters, map(list, columns), strict=True)))
    order = [i for members in groups.values() for i in members]
    named = [names[i] for i in order] if names else ()
    result = run_aer(
        built, method, device, noise=noise, names=named, shots=1, parameter_binds=binds
    )
    found = {i: _dense(circuits[i], result, place) for place, i in enumerate(order)}
    return [found[i] for i in range(len(circuits))]


def _parametrised(skeleton: Template) -> tuple[QuantumCircuit, list[Parameter]]:
    """The gates of a skeleton with a parameter for each angle, and what is to be told of them."""
    from qiskit.circuit import ParameterVector

    from iqm_spec.transpile import to_qiskit

    gates = gates_only(skeleton.structure)
    angles = list(ParameterVector("angle", 2 * sum(op.name == "r" for op in gates.ops)))
    circuit = to_qiskit(gates, angles)
    if pairs := shape_of_template(skeleton).measured:
        circuit.save_probabilities([qubit for _, qubit in pairs], label="p")
    return circuit, angles


def _dense(circuit: Native, result: Result, place: int) -> Dense:
    pairs = shape_of_template(circuit.template).measured
    bits = Bits(circuit.template.structure.registers, tuple(clbit for clbit, _ in pairs))
    return Dense(bits, _clean(result, place))


def _clean(result: Result, index: int) -> Floats:
    import numpy as np

    values: Floats = np.clip(result.data(index).get("p", [1.0]), 0.0, None)
    values /= values.sum()
    return values


def _tidy(probability: float) -> float:
    """Twelve significant digits: the rest depends on the processor."""
    return float(f"{probability:.12g}") if probability > IMPOSSIBLE else 0.0


@frozen(eq=False)
class Affine:
    """Outcomes `offset + r basis` (mod 2) with r even over all rows of bits.

    `offset` has one bit per measured bit, `basis` one independent row per dimension.
    """

    bits: Bits
    offset: Binary = field(repr=False)
    basis: Binary = field(repr=False)

    def sample(self, shots: int, seed: int) -> dict[str, int]:
        """Counts of `shots` draws."""
        import numpy as np

        rows = draw_bits(len(self.basis), shots, seed)
        rows, number = np.unique(rows, axis=0, return_counts=True)
        return dict(zip(self._strings(rows), number.tolist(), strict=True))

    def ideal(self, seen: Collection[str], shots: int) -> Ideal:
        """All outcomes where there are at most 4096, else those seen; all are equally likely."""
        import numpy as np

        dimension = len(self.basis)
        each = 2.0**-dimension
        perfect = perfect_device(np.array([each]), shots, np.array([2.0**dimension]))
        if 2**dimension > MOST_OUTCOMES:
            found: dict[str, float] = {}
            for some, table in self.bits.tables(seen):
                found.update(zip(some, np.where(self._has(table), each, 0.0).tolist(), strict=True))
            return Ideal(found, False, perfect)
        index = np.arange(2**dimension)[:, None] >> np.arange(dimension)
        every = self._strings((index & 1).astype(np.uint8))
        return Ideal(dict.fromkeys(every, each), True, perfect)

    def _strings(self, rows: Binary) -> list[str]:
        outcomes = (rows @ self.basis.astype(int) + self.offset) % 2
        return self.bits.strings(integers_of_bits(outcomes.tolist()))

    def _has(self, outcomes: Binary) -> NDArray[np.bool_]:
        """Which rows lie in the space; the basis is in echelon form: reduce it away."""
        rest = self.offset ^ outcomes
        for row in self.basis:
            rest ^= rest[:, int(row.argmax()), None] * row
        outside: Any = rest.any(axis=1)
        return ~outside  # type: ignore[no-any-return]


def affine_distribution(native: Native, device: str, name: str = "") -> Affine:
    """The exact distribution of an ideal Clifford circuit whose measurements are final."""
    import numpy as np

    pairs = shape_of(native).measured
    circuit = native.circuit()
    built = clifford_circuit(gates_only(circuit))
    built.save_stabilizer(label="s")
    result = run_aer([built], "stabilizer", device, names=[name], shots=1)
    tableau = result.data(0)["s"].clifford
    parities, values = _parities(
        tableau.stab_x.astype(np.uint8),
        tableau.stab_z.astype(np.uint8),
        tableau.stab_phase.astype(np.uint8),
        [qubit for _, qubit in pairs],
    )
    offset, basis = _solve(parities, values)
    return Affine(Bits(circuit.registers, tuple(clbit for clbit, _ in pairs)), offset, basis)


def _parities(x: Binary, z: Binary, sign: Binary, measured: list[int]) -> tuple[Binary, Binary]:
    """Independent parities (rows over measured qubits, value of each) that outcomes must keep.

    Rows of (x, z, sign) are Pauli operators; Y has both bits, so its factor i is implied. They are
    reduced until what is left beside the pivots has no X, and no Z on an unmeasured qubit.
    """
    import numpy as np

    others = [q for q in range(x.shape[1]) if q not in set(measured)]
    x, z = x.copy(), z.copy()
    power = (2 * sign.astype(int) + (x & z).sum(1)) % 4
    free = np.ones(len(x), dtype=bool)
    for table, columns in ((x, range(x.shape[1])), (z, others)):
        for column in columns:
            rows = np.flatnonzero(table[:, column].astype(bool) & free)
            if not rows.size:
                continue
            pivot, rest = rows[0], rows[1:]
            free[pivot] = False
            power[rest] = (power[rest] + power[pivot] + 2 * (z[rest] & x[pivot]).sum(1)) % 4
            x[rest] ^= x[pivot]
            z[rest] ^= z[pivot]
    return z[free][:, measured], (power[free] // 2).astype(np.uint8)


def _solve(parities: Binary, values: Binary) -> tuple[Binary, Binary]:
    """One solution of `parities . outcome = values`, and a basis (in echelon form) of the rest."""
    import numpy as np

    table = np.concatenate([parities, values[:, None]], axis=1)
    table, pivots = _echelon(table, parities.shape[1])
    size = parities.shape[1]
    offset = np.zeros(size, dtype=np.uint8)
    offset[pivots] = table[: len(pivots), -1]
    open_columns = [column for column in range(size) if column not in set(pivots)]
    basis = np.zeros((len(open_columns), size), dtype=np.uint8)
    for row, column in zip(basis, open_columns, strict=True):
        row[column] = 1
        row[pivots] = table[: len(pivots), column]
    return offset, _echelon(basis, size)[0]


def _echelon(table: Binary, columns: int) -> tuple[Binary, list[int]]:
    """Reduced row echelon form (mod 2) on the first `columns`, and the pivots' columns."""
    import numpy as np

    table = table.copy()
    pivots: list[int] = []
    for column in range(columns):
        here = len(pivots)
        rows = np.flatnonzero(table[here:, column]) + here
        if not rows.size:
            continue
        table[[here, rows[0]]] = table[[rows[0], here]]
        others = np.flatnonzero(table[:, column])
        table[others[others != here]] ^= table[here]
        pivots.append(column)
    return table, pivots


MOST_QUBITS = 62
"""Aer numbers amplitudes by 64-bit integers."""
_SEED = 0


@frozen
class Amplitudes:
    """An ideal circuit, every component of which is measured, by its amplitudes."""

    circuit: Native
    method: str
    device: str
    name: str

    def ideal(self, seen: Collection[str], shots: int) -> Ideal | str:
        """Probabilities of what was seen, or why they cannot be had.

        What a perfect device shows is taken from one simulated perfect experiment (seed 0), with
        the error of that as its spread.
        """
        task = AerTask(self.name, self.circuit, shots, _SEED)
        perfect = counts_by_aer(task, Setup(device=self.device), self.method)
        known = self._probabilities(sorted({*seen, *perfect}))
        if isinstance(known, str):
            return known
        shown = compare(perfect, known, False)
        one_experiment = Perfect(
            shown.hellinger_fidelity,
            shown.hellinger_fidelity_error,
            shown.total_variation_distance,
            shown.total_variation_distance_error,
        )
        return Ideal({bits: known[bits] for bits in seen}, False, one_experiment)

    def _probabilities(self, outcomes: Sequence[str]) -> dict[str, float] | str:
        from iqm_spec.transpile import to_qiskit

        shape = shape_of(self.circuit)
        circuit = self.circuit.circuit()
        bits = Bits(circuit.registers, tuple(clbit for clbit, _ in shape.measured))
        built = to_qiskit(gates_only(circuit))
        built.save_amplitudes([_state(bits.outcome(one), shape) for one in outcomes], label="a")
        options = mps_options(self.circuit, self.method)
        if options:
            options["mps_log_data"] = True
        result = run_aer([built], self.method, self.device, names=[self.name], shots=1, **options)
        if _is_cut_off(result):
            return f"too entangled: a matrix product state needs bonds beyond {BOND_LIMIT}"
        squares = [abs(amplitude) ** 2 for amplitude in result.data(0)["a"].tolist()]
        least = IMPOSSIBLE * 2.0**-shape.width
        known = (float(f"{square:.10g}") if square > least else 0.0 for square in squares)
        return dict(zip(outcomes, known, strict=True))


def amplitude_distribution(
    circuit: Native, method: str, device: str, name: str
) -> Amplitudes | str:
    """The circuit as `Amplitudes`, or why its ideal probabilities cannot be had."""
    shape = shape_of(circuit)
    if shape.width > MOST_QUBITS:
        return f"ideal amplitudes of {shape.width} qubits are beyond Aer's {MOST_QUBITS}"
    if {qubit for _, qubit in shape.measured} != set(range(shape.width)):
        return f"only some of {shape.width} entangled qubits are measured: too many to sum over"
    return Amplitudes(in_line(circuit), method, device, name)


def _state(outcome: int, shape: Shape) -> int:
    """The basis state whose component of bit j has the value of bit j of `outcome`."""
    return sum((outcome >> j & 1) << qubit for j, (_, qubit) in enumerate(shape.measured))


def _is_cut_off(result: Result) -> bool:
    """Whether a bond reached the limit, by Aer's log of bond dimensions after each gate."""
    log = result.results[0].metadata.get("MPS_log_data", "")
    return any(
        max(map(int, bonds.split())) >= BOND_LIMIT for bonds in re.findall(r"BD=\[([\d ]+)\]", log)
    )


MOST_BRANCH_AMPLITUDES = 2**20
"""States of all branches together: 16 MiB, some ten milliseconds per instruction."""
_MOST_BITS = 20
_IMPOSSIBLE = 1e-24
TOO_MANY_BRANCHES = "measured midway and conditional in too many ways for an ideal distribution"


@frozen
class _Branches:
    """Unnormalized states, axis 0 of which counts branches, and the bits of each as an integer."""

    states: States
    bits: Integers


def branched_distribution(native: Native) -> Dense | str:
    """The distribution of the bits that are measured, or why there is none; MOVEs are undone."""
    import numpy as np

    circuit = native.circuit()
    pairs = shape_of_template(native.template).measured
    width = len(circuit.components)
    if len(pairs) > _MOST_BITS or 2**width > MOST_BRANCH_AMPLITUDES or circuit.num_clbits > 62:
        return TOO_MANY_BRANCHES
    states = np.zeros((1, *(2,) * width), dtype=complex)
    states[(0,) * (width + 1)] = 1
    branches = _Branches(states, np.zeros(1, dtype=np.int64))
    for op in circuit.ops:
        branches = _after(branches, op)
        if branches.states.size > MOST_BRANCH_AMPLITUDES:
            return TOO_MANY_BRANCHES
    return _distribution(branches, circuit, tuple(bit for bit, _ in pairs))


def _distribution(branches: _Branches, circuit: NativeCircuit, clbits: tuple[int, ...]) -> Dense:
    import numpy as np

    outcomes = np.zeros(len(branches.bits), dtype=np.int64)
    for j, clbit in enumerate(clbits):
        outcomes |= (branches.bits >> clbit & 1) << j
    weights = _weights(branches.states)
    probabilities = np.bincount(outcomes, weights, minlength=2 ** len(clbits))
    return Dense(Bits(circuit.registers, clbits), probabilities / probabilities.sum())


def _after(branches: _Branches, op: Op) -> _Branches:
    match op.name:
        case "r":
            return _Branches(_turned(branches.states, op), branches.bits)
        case "cc_r":
            return _conditional(branches, op)
        case "cz":
            states = branches.states.copy()
            states[_where(states, dict.fromkeys(op.qubits, 1))] *= -1
            return _Branches(states, branches.bits)
        case "measure":
            return _split(branches, op.qubits[0], op.clbits[0])
        case "reset":
            return _split(branches, op.qubits[0], None)
        case "barrier" | "delay":
            return branches
    raise ValueError(f"{op.name} has no place in an ideal circuit without MOVEs")


def _where(states: States, values: dict[int, int]) -> tuple[Any, ...]:
    """The index of the amplitudes in which these qubits have these values."""
    return tuple(values.get(axis - 1, slice(None)) for axis in range(states.ndim))


def _turned(states: States, op: Op) -> States:
    import numpy as np

    (qubit,), (theta, phi) = op.qubits, op.params
    c, s = np.cos(theta / 2), np.sin(theta / 2)
    zero, one = (states[_where(states, {qubit: value})] for value in (0, 1))
    turn = np.exp(1j * phi)
    return np.stack([c * zero - 1j * s / turn * one, c * one - 1j * s * turn * zero], qubit + 1)


def _conditional(branches: _Branches, op: Op) -> _Branches:
    played = branches.bits >> op.clbits[0] & 1 == 1
    states = branches.states.copy()
    states[played] = _turned(states[played], op)
    return _Branches(states, branches.bits)


def _split(branches: _Branches, qubit: int, clbit: int | None) -> _Branches:
    """Each branch as its two outcomes, written to a bit; without one the qubit is reset."""
    import numpy as np

    found, bits = [], []
    for value in (0, 1):
        states = np.zeros_like(branches.states)
        to = value if clbit is not None else 0
        states[_where(states, {qubit: to})] = branches.states[_where(states, {qubit: value})]
        possible = _weights(states) > _IMPOSSIBLE
        found.append(states[possible])
        kept = branches.bits[possible]
        if clbit is not None:
            kept = kept & ~np.int64(1 << clbit) | np.int64(value << clbit)
        bits.append(kept)
    return _Branches(np.concatenate(found), np.concatenate(bits))


def _weights(states: States) -> Any:
    import numpy as np

    flat = states.reshape(len(states), -1)
    return np.einsum("ij,ij->i", flat.real, flat.real) + np.einsum("ij,ij->i", flat.imag, flat.imag)
