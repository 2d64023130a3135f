"""Distributions of outcomes that are known without drawing shots, and the ideal one of a circuit.

There are three kinds. `Dense` lists the probability of every outcome, with or without noise, also
of a circuit with conditions (each branch is followed). `Affine` is that of a Clifford circuit of
any width: even over an affine space of bitstrings. `Amplitudes` gives probabilities of single
outcomes of circuits too wide for a list. `ideal_distributions` takes the first that serves.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from attrs import field, frozen

from iqm_spec.model import Op
from iqm_spec.native import Native, Template
from iqm_spec.stages.aer.engine import clifford_circuit, run_aer
from iqm_spec.stages.aer.method import (
    BOND_LIMIT,
    STATEVECTOR_QUBITS,
    choose_method,
    gates_only,
    in_line,
    shape_of,
    shape_of_template,
    without_moves,
)
from iqm_spec.stages.aer.noise import idling, noise_model, relaxing
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

    from iqm_spec.targets.profile import ErrorProfile

    Floats = NDArray[np.float64]
    Binary = NDArray[np.uint8]
    States = NDArray[np.complex128]
    Integers = NDArray[np.int64]

MOST_OUTCOMES = 4096
"""Ideal probabilities are given for every possible outcome if there are at most so many."""
IMPOSSIBLE = 1e-15
"""Ideal probabilities up to here count as 0."""
MOST_AMPLITUDE_QUBITS = 62
"""Aer numbers amplitudes by 64-bit integers."""
MOST_BRANCH_AMPLITUDES = 2**20
"""Amplitudes of all branches together: 16 MiB, some ten milliseconds per instruction."""
TOO_MANY_BRANCHES = "measured midway and conditional in too many ways for an ideal distribution"

_MOST_BRANCH_BITS = 20
_IMPOSSIBLE_BRANCH = 1e-24
_PERFECT_SEED = 0


class IdealDistribution(Protocol):
    """What a noise-free device shows."""

    def ideal(self, seen: Collection[str], shots: int) -> Ideal | str:
        """Ideal probabilities of `seen` or of all outcomes, or why there are none."""


def ideal_distributions(
    names: Mapping[Native, str], device: str
) -> dict[Native, IdealDistribution | str]:
    """The ideal distribution of each circuit, or why there is none; `names` are for errors."""
    import qiskit_aer  # noqa: F401 - gives circuits their `save_...` instructions

    ideal: dict[Native, IdealDistribution | str] = {}
    narrow: list[tuple[Native, Native]] = []
    for circuit, name in names.items():
        plain = without_moves(circuit)
        if any(op.name == "cc_r" for op in plain.template.structure.ops):
            ideal[circuit] = branched_distribution(plain)
        elif not shape_of(plain).final:
            ideal[circuit] = "measured or reset midway: no single ideal state"
        elif shape_of(plain).width <= STATEVECTOR_QUBITS:
            narrow.append((circuit, plain))
        else:
            choice = choose_method(plain, 1, noisy=False)
            if choice.method == "stabilizer":
                ideal[circuit] = affine_distribution(plain, device, name)
            elif choice.exact:
                exact = dense_distributions([plain], choice.method, device, names=[name])
                ideal[circuit] = exact[0]
            else:
                ideal[circuit] = amplitude_distribution(plain, choice.method, device, name)
    if narrow:
        dense = dense_distributions(
            [plain for _, plain in narrow],
            "statevector",
            device,
            names=[names[circuit] for circuit, _ in narrow],
        )
        ideal.update(zip((circuit for circuit, _ in narrow), dense, strict=True))
    return ideal


# --- every outcome listed -------------------------------------------------------------------------


@frozen(eq=False)
class Dense:
    """The probability of each outcome of the measured bits: up to about 2^26 of them."""

    bits: Bits
    probabilities: Floats = field(repr=False)

    def sample(self, shots: int, seed: int) -> dict[str, int]:
        """Counts of `shots` draws."""
        drawn = draw_outcomes(self.probabilities, shots, seed)
        return dict(zip(self.bits.strings(drawn), drawn.values(), strict=True))

    def ideal(self, seen: Collection[str], shots: int) -> Ideal:
        """Ideal probabilities: of all outcomes if at most 4096 are possible, else of `seen`."""
        import numpy as np

        possible = np.flatnonzero(self.probabilities > IMPOSSIBLE)
        complete = possible.size <= MOST_OUTCOMES
        perfect = perfect_device(self.probabilities[possible], shots)
        ideal: dict[str, float] = {}
        if complete:
            ideal.update(zip(self.bits.strings(possible.tolist()), self._at(possible), strict=True))
            return Ideal(ideal, complete, perfect)
        weights = 1 << np.arange(len(self.bits.clbits))
        for batch, table in self.bits.tables(seen):
            ideal.update(zip(batch, self._at(table @ weights), strict=True))
        return Ideal(ideal, complete, perfect)

    def _at(self, outcomes: NDArray[np.int64]) -> Iterator[float]:
        return map(_rounded, self.probabilities[outcomes].tolist())

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
    profile: ErrorProfile | None = None,
    names: Sequence[str] = (),
) -> list[Dense]:
    """Exact distributions of circuits whose measurements are final, in one run of Aer.

    With errors of `profile` all circuits must be on the same components.

    Circuits of one template are one circuit for Aer, with many values of its parameters. (That is
    safe because nothing is measured: Aer 0.17 gives wrong counts where a measurement comes before
    a gate with a parameter.) Readout errors have no part in the distributions
    (`Dense.with_readout_errors`).
    """
    groups: dict[Template, list[int]] = {}
    for i, circuit in enumerate(circuits):
        groups.setdefault(circuit.template, []).append(i)
    built, binds = [], []
    for template, members in groups.items():
        parametrized, parameters = _with_parameters(template, profile)
        built.append(parametrized)
        columns = zip(*(circuits[i].angles for i in members), strict=True)
        binds.append(dict(zip(parameters, map(list, columns), strict=True)))
    order = [i for members in groups.values() for i in members]
    result = run_aer(
        built,
        method,
        device,
        noise=noise_model(profile, [item.structure for item in groups]) if profile else None,
        names=[names[i] for i in order] if names else (),
        shots=1,
        parameter_binds=binds,
    )
    dense = {i: _dense(circuits[i], result, place) for place, i in enumerate(order)}
    return [dense[i] for i in range(len(circuits))]


def _with_parameters(
    template: Template, profile: ErrorProfile | None
) -> tuple[QuantumCircuit, list[Parameter]]:
    """The gates of a template with a parameter for each angle; Aer saves their probabilities."""
    import qiskit_aer  # noqa: F401 - gives circuits `save_probabilities`
    from qiskit.circuit import ParameterVector

    from iqm_spec.transpile import to_qiskit

    gates = gates_only(idling(template.structure, profile), "delay")
    angles = list(ParameterVector("angle", 2 * sum(op.name == "r" for op in gates.ops)))
    circuit = relaxing(to_qiskit(gates, angles), gates.components, profile)
    if pairs := shape_of_template(template).measured:
        circuit.save_probabilities([qubit for _, qubit in pairs], label="p")
    return circuit, angles


def _dense(circuit: Native, result: Result, place: int) -> Dense:
    import numpy as np

    pairs = shape_of_template(circuit.template).measured
    bits = Bits(circuit.template.structure.registers, tuple(clbit for clbit, _ in pairs))
    values: Floats = np.clip(result.data(place).get("p", [1.0]), 0.0, None)
    values /= values.sum()
    return Dense(bits, values)


def _rounded(probability: float) -> float:
    """Twelve significant digits: the rest depends on the processor."""
    return float(f"{probability:.12g}") if probability > IMPOSSIBLE else 0.0


# --- Clifford circuits of any width ---------------------------------------------------------------


@frozen(eq=False)
class Affine:
    """Outcomes `offset + r basis` (mod 2), r being equally likely to be any row of bits.

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
        """Ideal probabilities: of all outcomes if there are at most 4096, else of `seen`."""
        import numpy as np

        dimension = len(self.basis)
        probability = 2.0**-dimension
        perfect = perfect_device(np.array([probability]), shots, np.array([2.0**dimension]))
        if 2**dimension > MOST_OUTCOMES:
            ideal: dict[str, float] = {}
            for batch, table in self.bits.tables(seen):
                probabilities = np.where(self._contains(table), probability, 0.0).tolist()
                ideal.update(zip(batch, probabilities, strict=True))
            return Ideal(ideal, False, perfect)
        index = np.arange(2**dimension)[:, None] >> np.arange(dimension)
        outcomes = self._strings((index & 1).astype(np.uint8))
        return Ideal(dict.fromkeys(outcomes, probability), True, perfect)

    def _strings(self, rows: Binary) -> list[str]:
        outcomes = (rows @ self.basis.astype(int) + self.offset) % 2
        return self.bits.strings(integers_of_bits(outcomes.tolist()))

    def _contains(self, outcomes: Binary) -> NDArray[np.bool_]:
        """Which rows lie in the space; the basis is in echelon form: reduce it away."""
        rest = self.offset ^ outcomes
        for row in self.basis:
            rest ^= rest[:, int(row.argmax()), None] * row
        outside: Any = rest.any(axis=1)
        return ~outside  # type: ignore[no-any-return]


def affine_distribution(native: Native, device: str, name: str = "") -> Affine:
    """The exact distribution of an ideal Clifford circuit whose measurements are final.

    Aer's stabilizer method gives the final tableau. Its products that consist of Z on measured
    qubits fix parities of the outcome; every outcome that keeps them is equally likely.
    """
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


# --- single outcomes of wide circuits -------------------------------------------------------------


@frozen
class Amplitudes:
    """An ideal circuit, every component of which is measured, by its amplitudes."""

    circuit: Native
    method: str
    device: str
    name: str

    def ideal(self, seen: Collection[str], shots: int) -> Ideal | str:
        """Ideal probabilities of `seen`, or why there are none.

        What a perfect device shows comes from one simulated perfect experiment (seed 0), with the
        error of that as its spread.
        """
        task = AerTask(self.name, self.circuit, shots, _PERFECT_SEED)
        perfect_counts = counts_by_aer(task, Setup(device=self.device), self.method)
        probabilities = self._probabilities(sorted({*seen, *perfect_counts}))
        if isinstance(probabilities, str):
            return probabilities
        comparison = compare(perfect_counts, probabilities, False)
        perfect = Perfect(
            comparison.hellinger_fidelity,
            comparison.hellinger_fidelity_error,
            comparison.total_variation_distance,
            comparison.total_variation_distance_error,
        )
        return Ideal({bits: probabilities[bits] for bits in seen}, False, perfect)

    def _probabilities(self, outcomes: Sequence[str]) -> dict[str, float] | str:
        from iqm_spec.transpile import to_qiskit

        shape = shape_of(self.circuit)
        circuit = self.circuit.circuit()
        bits = Bits(circuit.registers, tuple(clbit for clbit, _ in shape.measured))
        built = to_qiskit(gates_only(circuit))
        # the basis state of an outcome: the component of bit j has the value of bit j
        states = [
            sum((bits.outcome(outcome) >> j & 1) << q for j, (_, q) in enumerate(shape.measured))
            for outcome in outcomes
        ]
        built.save_amplitudes(states, label="a")
        options = mps_options(self.circuit, self.method)
        if options:
            options["mps_log_data"] = True
        result = run_aer([built], self.method, self.device, names=[self.name], shots=1, **options)
        # Aer's log has the bond dimensions after each gate
        log = result.results[0].metadata.get("MPS_log_data", "")
        bonds = " ".join(re.findall(r"BD=\[([\d ]+)\]", log)).split()
        if max(map(int, bonds), default=0) >= BOND_LIMIT:
            return f"too entangled: a matrix product state needs bonds beyond {BOND_LIMIT}"
        squares = [abs(amplitude) ** 2 for amplitude in result.data(0)["a"].tolist()]
        least = IMPOSSIBLE * 2.0**-shape.width
        rounded = (float(f"{square:.10g}") if square > least else 0.0 for square in squares)
        return dict(zip(outcomes, rounded, strict=True))


def amplitude_distribution(
    circuit: Native, method: str, device: str, name: str
) -> Amplitudes | str:
    """The circuit as `Amplitudes`, or why its ideal probabilities cannot be computed."""
    shape = shape_of(circuit)
    if shape.width > MOST_AMPLITUDE_QUBITS:
        return f"ideal amplitudes of {shape.width} qubits are beyond Aer's {MOST_AMPLITUDE_QUBITS}"
    if {qubit for _, qubit in shape.measured} != set(range(shape.width)):
        return f"only some of {shape.width} entangled qubits are measured: too many to sum over"
    return Amplitudes(in_line(circuit), method, device, name)


# --- circuits with conditions ---------------------------------------------------------------------


@frozen
class _Branches:
    """Unnormalized states, axis 0 of which counts branches, and the bits of each as an integer."""

    states: States
    bits: Integers


def branched_distribution(native: Native) -> Dense | str:
    """The distribution of the measured bits, or why there is none.

    Follows every branch that a measurement or reset makes. The circuit has no `move`
    (`without_moves`).
    """
    import numpy as np

    circuit = native.circuit()
    pairs = shape_of_template(native.template).measured
    width = len(circuit.components)
    if (
        len(pairs) > _MOST_BRANCH_BITS
        or 2**width > MOST_BRANCH_AMPLITUDES
        or circuit.num_clbits > 62
    ):
        return TOO_MANY_BRANCHES
    states = np.zeros((1, *(2,) * width), dtype=complex)
    states[(0,) * (width + 1)] = 1
    branches = _Branches(states, np.zeros(1, dtype=np.int64))
    for op in circuit.ops:
        branches = _after(branches, op)
        if branches.states.size > MOST_BRANCH_AMPLITUDES:
            return TOO_MANY_BRANCHES
    clbits = tuple(bit for bit, _ in pairs)
    outcomes = np.zeros(len(branches.bits), dtype=np.int64)
    for j, clbit in enumerate(clbits):
        outcomes |= (branches.bits >> clbit & 1) << j
    weights = _weights(branches.states)
    probabilities = np.bincount(outcomes, weights, minlength=2 ** len(clbits))
    return Dense(Bits(circuit.registers, clbits), probabilities / probabilities.sum())


def _after(branches: _Branches, op: Op) -> _Branches:
    match op.name:
        case "r":
            return _Branches(_rotated(branches.states, op), branches.bits)
        case "cc_r":
            played = branches.bits >> op.clbits[0] & 1 == 1
            states = branches.states.copy()
            states[played] = _rotated(states[played], op)
            return _Branches(states, branches.bits)
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


def _rotated(states: States, op: Op) -> States:
    import numpy as np

    (qubit,), (theta, phi) = op.qubits, op.params
    c, s = np.cos(theta / 2), np.sin(theta / 2)
    ground, excited = (states[_where(states, {qubit: value})] for value in (0, 1))
    phase = np.exp(1j * phi)
    return np.stack(
        [c * ground - 1j * s / phase * excited, c * excited - 1j * s * phase * ground], qubit + 1
    )


def _split(branches: _Branches, qubit: int, clbit: int | None) -> _Branches:
    """Each branch as its two outcomes, written to a bit; the qubit is reset if there is none."""
    import numpy as np

    kept_states, kept_bits = [], []
    for value in (0, 1):
        states = np.zeros_like(branches.states)
        after = value if clbit is not None else 0
        states[_where(states, {qubit: after})] = branches.states[_where(states, {qubit: value})]
        possible = _weights(states) > _IMPOSSIBLE_BRANCH
        kept_states.append(states[possible])
        bits = branches.bits[possible]
        if clbit is not None:
            bits = bits & ~np.int64(1 << clbit) | np.int64(value << clbit)
        kept_bits.append(bits)
    return _Branches(np.concatenate(kept_states), np.concatenate(kept_bits))


def _weights(states: States) -> Any:
    import numpy as np

    flat = states.reshape(len(states), -1)
    return np.einsum("ij,ij->i", flat.real, flat.real) + np.einsum("ij,ij->i", flat.imag, flat.imag)
