"""The frozen data that flows through the pipeline: Spec, Block, Point, NativeCircuit, Plan, Record.

A value in which `${axis}` may stand is called *templated*: plain JSON whose strings may hold
placeholders (`iqm_spec.spec.template`). Fields ending in `_templated`-like meaning say so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Any

from attrs import field, frozen

from iqm_spec.canonical import digest
from iqm_spec.json_types import Json, Scalar

AxisValue = Scalar | tuple[Scalar, ...]
"""What an axis holds at one point: a scalar, or a flat list (a layout, a list of angles)."""

Values = tuple[tuple[str, AxisValue], ...]
"""Axis names with their values at one point, in axis order."""


class _Flag(Enum):
    TRUE = True
    FALSE = False


def distinguishable(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """A key of axis values: in Python true equals 1, in a spec they are different values."""
    if any(type(value) in _NESTED for value in values):
        return tuple(map(_key, values))
    return values


_NESTED = frozenset({bool, tuple, list})


def _key(value: Any) -> Any:
    if isinstance(value, bool):
        return _Flag(value)
    return distinguishable(tuple(value)) if isinstance(value, tuple | list) else value


class StageName(StrEnum):
    """Stages in the order in which they run."""

    AER = "aer"
    MOCK = "mock"
    HARDWARE = "hardware"


class Mode(StrEnum):
    """How hardware is paid for: from the pay-as-you-go queue or in a booked timeslot."""

    PAY_AS_YOU_GO = "pay-as-you-go"
    TIMESLOT = "timeslot"


class LayoutChoice(StrEnum):
    """Who chooses the physical qubits of a circuit.

    `best`: the placement with the highest predicted success; `shared`: the same for all points of a
    circuit; `transpiler`: Qiskit; `fixed`: the spec names them.
    """

    BEST = "best"
    SHARED = "shared"
    TRANSPILER = "transpiler"
    FIXED = "fixed"


class SourceKind(StrEnum):
    """Where a circuit comes from."""

    GENERATOR = "generator"
    QASM = "qasm"
    QPY = "qpy"
    STIM = "stim"


CIRCUIT_FILES = tuple(kind.value for kind in SourceKind if kind is not SourceKind.GENERATOR)
"""Fields of a circuit's entry that name a file."""


# --- spec ----------------------------------------------------------------------------------------


@frozen
class Block:
    """One block of a sweep: axes of `grid` multiply, each group of `zip` is one axis more.

    `columns` is the block in that order: each entry is one dimension, a tuple of axis names with a
    tuple of rows, a row holding one value per name. A block of `points` has a single dimension.
    `exclude` holds partial assignments whose matches are dropped; `include` holds whole assignments
    added at the end. The last dimension varies fastest. More `priority` is submitted earlier.
    """

    columns: tuple[tuple[tuple[str, ...], tuple[tuple[AxisValue, ...], ...]], ...]
    exclude: tuple[Values, ...] = ()
    include: tuple[Values, ...] = ()
    priority: float = 0

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the block's axes in order."""
        return tuple(name for names, _ in self.columns for name in names)


@frozen
class CircuitSpec:
    """One entry of `circuits`, with the spec's top-level defaults already filled in.

    `path` is the entry's place in the spec tree, for diagnostics. `ref` is the generator's name, or
    the file's path relative to the spec. All of ref, args, parameters, shots, repeat, layout,
    transpile, options and target are templated. `every` makes it a reference circuit, measured once
    and again after `every` others each time. `priority` is added to that of a point's block.
    `memory`: the bits of every shot are kept.
    """

    index: int
    name: str
    kind: SourceKind
    ref: str
    args: Mapping[str, Json] = field(factory=dict)
    parameters: Mapping[str, Json] | None = None
    by_name: bool = False
    shots: Json = 1000
    repeat: Json = 1
    every: int | None = None
    priority: float = 0
    memory: bool = False
    layout: Json = None
    transpile: Mapping[str, Json] = field(factory=dict)
    options: Mapping[str, Json] = field(factory=dict)
    target: Json = None
    sweep: tuple[Block, ...] = ()

    @property
    def path(self) -> tuple[str | int, ...]:
        """Where the entry stands in the spec's tree."""
        return ("circuits", self.index)


CALIBRATED = "calibration"
"""The noise of the calibration set that a run is planned for."""


@frozen
class AerOptions:
    """How the Aer stage simulates.

    `noise` is `ideal`, `device`, `calibration` or a profile's path. `idle`: whether components
    relax while they idle; None for the default of the noise.
    """

    noise: str = "device"
    method: str = "automatic"
    device: str = "CPU"
    idle: bool | None = None

    @property
    def has_idle_noise(self) -> bool:
        """Whether components relax while they idle."""
        return self.noise == CALIBRATED if self.idle is None else self.idle


@frozen
class Spec:
    """What a spec file says, defaults filled in, nothing resolved against a machine yet."""

    name: str
    description: str
    target: Json
    mode: Mode
    stages: tuple[StageName, ...]
    seed: int
    circuits: tuple[CircuitSpec, ...]
    sweep: tuple[Block, ...]
    aer: AerOptions
    calibration: str
    require: Mapping[str, Mapping[str, Json]]
    budget: Mapping[str, Json]
    order: str
    analysis: Mapping[str, Mapping[str, Json]]
    """Options of analyses by their names; empty where none is declared."""
    readout_mitigation: bool
    fail_fast: bool
    executor: Mapping[str, Json]
    architecture: str | None
    avoid: tuple[str, ...]
    """Qubits, and couplings as `QB1-QB2`, that no circuit uses."""
    region: tuple[str, ...]
    """The qubits that circuits may use; empty for all."""
    meaning: Mapping[str, Json]
    """The whole spec as JSON with defaults filled in, less description: what its digest is of."""

    @property
    def digest(self) -> str:
        """Sha256 of what the spec means: no comment, key order or number style moves it."""
        return digest({"format": "iqm-spec/spec/1", "spec": dict(self.meaning)})


# --- points --------------------------------------------------------------------------------------


@frozen
class SpecPoint:
    """One circuit at one assignment of the axes it uses: nothing templated is left.

    `repeat` counts from 0. `name` is the circuit's. `layout` are the physical qubits that the spec
    names, None where `layout_choice` is another one than `fixed`.
    """

    circuit: int
    name: str
    values: Values
    repeat: int
    ref: str
    args: Mapping[str, Json]
    parameters: Mapping[str, Json] | None
    shots: int
    layout: tuple[str, ...] | None
    transpile: Mapping[str, Json]
    options: Mapping[str, Json]
    target: str
    priority: float = 0
    memory: bool = False
    layout_choice: LayoutChoice = LayoutChoice.TRANSPILER
    region: tuple[str, ...] = ()
    """The qubits that the circuit shares with others; empty where it shares none."""

    @property
    def id(self) -> str:
        """16 hex digits that name this point in every run, report and export."""
        values = dict(self.values)
        return digest({"circuit": self.name, "values": values, "repeat": self.repeat})[:16]


# --- circuits ------------------------------------------------------------------------------------


DELAY_IN_SAMPLES = "delay in dt"
"""The kind of a delay whose length in seconds cannot be known."""

CONDITIONAL_GATE = "gate on several qubits under a condition"
CONDITIONAL_MEASUREMENT = "measurement under a condition"
CONDITIONAL_RESET = "reset under a condition"
CONDITIONAL_OTHER = "instruction that is no gate under a condition"
WIDE_CONDITION = "condition on more than four bits"
BEYOND_CONDITIONS = (
    CONDITIONAL_GATE,
    CONDITIONAL_MEASUREMENT,
    CONDITIONAL_RESET,
    CONDITIONAL_OTHER,
    WIDE_CONDITION,
)
"""Kinds of what no machine does, though some play single-qubit gates under conditions."""


@frozen
class Feature:
    """Something in a circuit that not every machine can do: `if_else`, `while_loop`, `reset`."""

    kind: str
    line: int | None = None


@frozen
class CircuitFacts:
    """What is known of a circuit before it is transpiled.

    `inputs` are the names of its free parameters. `measured` is the number of measurements.
    `physical`: its qubits are the machine's own, `$0` the first of them.
    """

    num_qubits: int
    num_clbits: int
    measured: int
    inputs: tuple[str, ...] = ()
    features: tuple[Feature, ...] = ()
    physical: bool = False


@frozen
class Op:
    """One instruction of a native circuit.

    `r`: params (theta, phi) in radians; `cc_r`: an `r` that is played only where the classical
    bit in `clbits` is 1; `cz`, `barrier`, `reset`: none; `move`: qubits (qubit, resonator);
    `measure`: one qubit and its classical bit in `clbits`; `delay`: seconds.
    `qubits` index `NativeCircuit.components`, `clbits` count through the registers in order.
    """

    name: str
    qubits: tuple[int, ...]
    params: tuple[float, ...] = ()
    clbits: tuple[int, ...] = ()


CIRCUIT_FORMAT = "iqm-spec/circuit/1"


@frozen
class NativeCircuit:
    """A transpiled circuit on the physical components in use: what is stored and sent.

    `registers` are (name, size) of the classical registers in Qiskit's order; a bitstring shows
    the last register first and, in a register, the highest bit first, as Qiskit prints it.
    """

    components: tuple[str, ...]
    registers: tuple[tuple[str, int], ...]
    ops: tuple[Op, ...]

    def to_json(self) -> dict[str, Json]:
        """Compact JSON: an op is `[name, qubits, params, clbits]` less empty tails."""
        ops: list[Json] = []
        for op in self.ops:
            parts: list[Json] = [op.name, list(op.qubits), list(op.params), list(op.clbits)]
            while len(parts) > 2 and not parts[-1]:
                parts.pop()
            ops.append(parts)
        return {
            "format": CIRCUIT_FORMAT,
            "components": list(self.components),
            "registers": [[name, size] for name, size in self.registers],
            "ops": ops,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> NativeCircuit:
        """The circuit that `to_json` wrote; KeyError, TypeError or ValueError on other data."""
        if data["format"] != CIRCUIT_FORMAT:
            raise ValueError(f"unknown circuit format {data['format']!r}")
        return cls(
            components=tuple(data["components"]),
            registers=tuple((name, size) for name, size in data["registers"]),
            ops=tuple(
                Op(
                    op[0],
                    tuple(op[1]),
                    tuple(float(value) for value in op[2]) if len(op) > 2 else (),
                    tuple(op[3]) if len(op) > 3 else (),
                )
                for op in data["ops"]
            ),
        )

    @property
    def digest(self) -> str:
        """Sha256 of the canonical JSON: the circuit's identity."""
        return digest(self.to_json())

    @property
    def num_clbits(self) -> int:
        """Number of classical bits over all registers."""
        return sum(size for _, size in self.registers)

    def counts(self) -> dict[str, int]:
        """How often each instruction occurs, by name, barriers aside."""
        return dict(sorted(Counter(op.name for op in self.ops if op.name != "barrier").items()))

    def depth(self) -> int:
        """Longest chain of instructions over components and classical bits, barriers aside."""
        level: dict[tuple[str, int], int] = {}
        for op in self.ops:
            wires = [("q", q) for q in op.qubits] + [("c", c) for c in op.clbits]
            op_level = max((level.get(wire, 0) for wire in wires), default=0)
            op_level += op.name != "barrier"
            level.update((wire, op_level) for wire in wires)
        return max(level.values(), default=0)
