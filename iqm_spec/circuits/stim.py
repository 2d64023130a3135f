"""Stim circuit files: any bytes to facts or problems, and to a circuit.

Noise channels and the strength of measurement noise describe a decoder's model of the machine;
detectors, observables and coordinates are annotations. None of them is a step of the circuit. All
stay in the file, which is stored with the run and read again when its shots are decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from iqm_spec.circuits.circuit_files import LARGEST_FILE, MOST_BITS, MOST_OPERATIONS
from iqm_spec.circuits.problems import CircuitError, CircuitFileProblem, InvalidCircuitFile
from iqm_spec.diagnostics import printable
from iqm_spec.model import CircuitFacts, Feature

if TYPE_CHECKING:
    import stim
    from qiskit import QuantumCircuit


REGISTER = "m"
"""The classical register: bit i is the i-th measurement of the file."""

_DEEPEST = 64

_REPEAT = re.compile(r"\s*REPEAT(?:\[[^\]]*\])?\s+(\d{1,20})\s*\{\s*(?:#.*)?", re.IGNORECASE)

_HEAD = re.compile(r"\s*(\w*)(?:\[[^\]]*\])?(.?)")
"""An instruction's name with its tag, and the character behind them."""

_END = re.compile(r"\s*\}\s*(?:#.*)?")

_ANNOTATIONS = frozenset({"DETECTOR", "OBSERVABLE_INCLUDE", "QUBIT_COORDS", "SHIFT_COORDS"})

_NOTHING = frozenset({"I", "II"})

_IMPOSSIBLE = frozenset({"MPAD", "HERALDED_ERASE", "HERALDED_PAULI_CHANNEL_1"})

_GATES = {
    name: name.lower() for name in ("X", "Y", "Z", "H", "S", "SWAP", "ISWAP", "CX", "CY", "CZ")
} | {"S_DAG": "sdg", "SQRT_X": "sx", "SQRT_X_DAG": "sxdg"}
"""Stim's names to Qiskit's; Stim decomposes other unitary gates."""

_INTO_Z = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}
"""Gates that turn a basis into Z."""

_FROM_Z = {"X": ("h",), "Y": ("h", "s"), "Z": ()}

_MEASURES = {"M": "Z", "MX": "X", "MY": "Y", "MR": "Z", "MRX": "X", "MRY": "Y"}

_RESETS = {"R": "Z", "RX": "X", "RY": "Y", "MR": "Z", "MRX": "X", "MRY": "Y"}

_PAIRS = {"MXX": "X", "MYY": "Y", "MZZ": "Z"}


@frozen
class StimStep:
    """One instruction: a gate by Qiskit's name, `measure`, `reset`, or a `barrier` on all qubits.

    `qubits` are Stim's numbers, `line` that of the file, `bit` the number of a measurement.
    """

    name: str
    qubits: tuple[int, ...]
    line: int
    bit: int = -1


def inspect_stim(data: bytes) -> tuple[CircuitFacts | None, tuple[CircuitFileProblem, ...]]:
    """Facts of a Stim file, or None and what is wrong with it: S402, S403.

    Any bytes give one or the other. CircuitError (S405) where the package `stim` is missing.
    """
    try:
        steps = _load(data)
    except InvalidCircuitFile as invalid:
        return None, invalid.problems
    facts = facts_of_steps(steps)
    if not facts.measured:
        hint = "end it with `M 0 1`, for instance"
        return None, (CircuitFileProblem(1, 1, "S403", "the circuit measures nothing", hint),)
    return facts, ()


def circuit_of_stim(data: bytes) -> QuantumCircuit:
    """The circuit of a Stim file; raises `InvalidCircuitFile`.

    Its qubits are those that something acts on, in the order of their numbers; measurement i goes
    into bit i of the one register `m`.
    """
    return circuit_of_steps(_load(data))


@lru_cache(maxsize=4)
def _load(data: bytes) -> tuple[StimStep, ...]:
    return without_unobservable(read_steps(data))


def require_stim() -> None:
    """CircuitError (S405) where the package `stim` is not installed."""
    try:
        import stim  # noqa: F401
    except ImportError as error:
        raise CircuitError(
            "S405",
            "a circuit of Stim needs the package stim, which is not installed",
            hint="pip install 'iqm-spec[stim]'",
        ) from error


def read_steps(data: bytes) -> list[StimStep]:
    """Steps of a Stim file, blocks unrolled; raises `InvalidCircuitFile`, or CircuitError S405."""
    require_stim()
    text = decode_stim(data)
    circuit = _parse(text)
    # let Stim read the complete text, as it does when it decodes the shots
    import stim

    try:
        stim.Circuit(text)
    except (ValueError, IndexError) as error:
        raise _invalid(1, f"stim cannot read it: {_message(error)}") from error
    total = 0
    for item in circuit.items:
        total += _size(item)
        if total > MOST_OPERATIONS:
            text = f"the circuit has more than {MOST_OPERATIONS:,} operations from here on"
            raise _invalid(item.number, text, hint="repeat less often, or split it")
    steps = list(_unroll(circuit, [0]))
    qubits = {qubit for step in steps for qubit in step.qubits}
    measured = sum(step.name == "measure" for step in steps)
    for what, number in (("qubits", len(qubits)), ("measurements", measured)):
        if number > MOST_BITS:
            raise _invalid(1, f"the circuit has more than {MOST_BITS:,} {what}")
    return steps


def decode_stim(data: bytes) -> str:
    """The file as text; raises `InvalidCircuitFile`."""
    if len(data) > LARGEST_FILE:
        raise _invalid(1, f"the file is larger than {LARGEST_FILE // 2**20} MiB", code="S411")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _invalid(line, f"byte 0x{data[error.start]:02x} is not UTF-8 text") from error


@frozen
class _Line:
    """An instruction: its steps, whose bits count from 0, and its longest look back at records."""

    number: int
    steps: tuple[StimStep, ...]
    measured: int
    lookback: int


@define
class _Block:
    """A block, its number of repetitions, and the line where it begins."""

    number: int
    times: int
    items: list[_Line | _Block] = field(factory=list)


def _size(item: _Line | _Block) -> int:
    """Steps and annotations, repetitions counted."""
    if isinstance(item, _Block):
        return item.times * sum(map(_size, item.items))
    return max(1, len(item.steps))


def _parse(text: str) -> _Block:
    circuit = _Block(1, 1)
    open_blocks = [circuit]
    problems: list[CircuitFileProblem] = []
    for number, line in enumerate(text.split("\n"), 1):
        if begin := _REPEAT.fullmatch(line):
            block = _Block(number, int(begin[1]))
            open_blocks[-1].items.append(block)
            open_blocks.append(block)
            if len(open_blocks) > _DEEPEST:
                raise _invalid(number, f"blocks are nested more than {_DEEPEST} deep")
        elif _END.fullmatch(line):
            if len(open_blocks) == 1:
                problems += _invalid(number, "`}` ends no block").problems
            else:
                open_blocks.pop()
        else:
            try:
                open_blocks[-1].items += _instructions(line, number)
            except InvalidCircuitFile as invalid:
                problems += invalid.problems
    if problems:
        raise InvalidCircuitFile(problems[:20])
    if len(open_blocks) > 1:
        raise _invalid(open_blocks[-1].number, "the block has no `}` at its end")
    return circuit


def _instructions(line: str, number: int) -> Iterator[_Line]:
    import stim

    head = _HEAD.match(line)
    assert head is not None  # noqa: S101 - it matches an empty text
    if head[2] == "[":  # stim 1.16 never ends its search for the end of the tag
        raise _invalid(number, "the tag has no `]`")
    if head[1].upper() == "REPEAT":
        hint = "write `REPEAT N {` and `}` on lines of their own"
        raise _invalid(number, "this begins no block", hint=hint)
    try:
        parsed = stim.Circuit(line)
    except (ValueError, IndexError) as error:
        raise _invalid(number, _message(error)) from error
    for item in parsed:
        if not isinstance(item, stim.CircuitInstruction):
            raise _invalid(number, "a block begins and ends on lines of its own")
        back = [-t.value for t in item.targets_copy() if t.is_measurement_record_target]
        steps = tuple(_steps(item, number))
        measured = sum(step.name == "measure" for step in steps)
        yield _Line(number, steps, measured, max(back, default=0))


def _message(error: Exception) -> str:
    """The first line of Stim's message, which may hold bytes that are no text."""
    message = error.object if isinstance(error, UnicodeDecodeError) else str(error).encode()
    return printable(message.decode(errors="replace").strip().partition("\n")[0].rstrip("."))


def _steps(item: stim.CircuitInstruction, line: int) -> Iterator[StimStep]:
    """The steps of one instruction, its measurements numbered from 0."""
    import stim

    name = item.name
    if name in _ANNOTATIONS or name in _NOTHING:
        return
    if name in _IMPOSSIBLE:
        raise _invalid(line, f"no quantum computer does `{name}`", hint="remove it")
    gate = stim.gate_data(name)
    if gate.is_noisy_gate and not gate.produces_measurements:
        return
    for target in item.targets_copy():
        if target.is_measurement_record_target:
            hint = "keep corrections out of the circuit: a decoder applies them to the records"
            text = f"`{item.name}` depends on a measurement (`rec[{target.value}]`)"
            raise _invalid(line, text, hint=hint)
        if target.is_sweep_bit_target:
            text = f"`{item.name}` depends on a bit (`sweep[{target.value}]`) that no file gives"
            raise _invalid(line, text, hint="write a file per value")
    if name == "TICK":
        yield StimStep("barrier", (), line)
    elif name in _GATES:
        for group in item.target_groups():
            yield StimStep(_GATES[name], tuple(target.value for target in group), line)
    elif name in _MEASURES or name in _RESETS:
        yield from _measured_or_reset(item, line)
    else:
        yield from _decomposed(item, line)


def _decomposed(item: stim.CircuitInstruction, line: int) -> Iterator[StimStep]:
    """Steps of an instruction that Stim decomposes into H, S, CX, M and R."""
    import stim

    plain = stim.Circuit()
    if item.name in _PAIRS:
        # stim 1.16 decomposes them wrongly where a target is inverted, but not as `MPP`
        pauli = _PAIRS[item.name]
        targets: list[stim.GateTarget] = []
        for first, second in item.target_groups():
            inverted = first.is_inverted_result_target != second.is_inverted_result_target
            targets += [
                stim.target_pauli(first.value, pauli, inverted),
                stim.target_combiner(),
                stim.target_pauli(second.value, pauli),
            ]
        plain.append("MPP", targets)
    else:
        plain.append(item)
    bit = 0
    try:
        parts = plain.without_noise().decomposed()
    except ValueError as error:
        raise _invalid(line, f"stim cannot decompose `{item.name}`: {error}") from error
    for part in parts:
        if isinstance(part, stim.CircuitInstruction):
            for step in _steps(part, line):
                if step.name == "measure":
                    yield StimStep("measure", step.qubits, line, bit)
                    bit += 1
                else:
                    yield step


def _measured_or_reset(item: stim.CircuitInstruction, line: int) -> Iterator[StimStep]:
    """Rotate the basis into Z and back; X gates around an inverted measurement flip its outcome."""
    measured, reset = _MEASURES.get(item.name), _RESETS.get(item.name)
    basis = measured or reset or "Z"
    for bit, target in enumerate(item.targets_copy()):
        qubit = (target.value,)
        if measured:
            flip = ["x"] if target.is_inverted_result_target else []
            yield from (StimStep(name, qubit, line) for name in (*_INTO_Z[basis], *flip))
            yield StimStep("measure", qubit, line, bit)
            if not reset:
                yield from (StimStep(name, qubit, line) for name in (*flip, *_FROM_Z[basis]))
        if reset:
            yield StimStep("reset", qubit, line)
            yield from (StimStep(name, qubit, line) for name in _FROM_Z[basis])


def _unroll(block: _Block, measured: list[int]) -> Iterator[StimStep]:
    """Steps of all repetitions of a block; `measured` holds the number of measurements so far."""
    for _ in range(block.times):
        for item in block.items:
            if isinstance(item, _Block):
                yield from _unroll(item, measured)
                continue
            if item.lookback > measured[0]:
                text = f"`rec[-{item.lookback}]` is before the first measurement"
                raise _invalid(item.number, text)
            for step in item.steps:
                is_measured = step.name == "measure"
                yield evolve(step, bit=measured[0] + step.bit) if is_measured else step
            measured[0] += item.measured


def _invalid(line: int, message: str, *, hint: str = "", code: str = "S402") -> InvalidCircuitFile:
    return InvalidCircuitFile.at((line, 1), message, hint, code)


def without_unobservable(steps: Iterable[StimStep]) -> tuple[StimStep, ...]:
    """The steps that can change an outcome, and barriers.

    A qubit that nothing has acted on is in the state 0 and needs no reset. A step on a single qubit
    behind its last measurement or two-qubit gate changes no outcome.
    """
    needed: list[StimStep] = []
    touched: set[int] = set()
    for step in steps:
        if step.name != "reset" or step.qubits[0] in touched:
            needed.append(step)
            touched.update(step.qubits)
    observable: list[StimStep] = []
    observed: set[int] = set()
    for step in reversed(needed):
        if step.name in ("measure", "barrier") or len(step.qubits) > 1:
            observed.update(step.qubits)
        if step.name == "barrier" or observed.intersection(step.qubits):
            observable.append(step)
    return tuple(observable[::-1])


def facts_of_steps(steps: Sequence[StimStep]) -> CircuitFacts:
    """Size and features; the feature of resets has the line of the first that is left."""
    measured = sum(step.name == "measure" for step in steps)
    resets = [step.line for step in steps if step.name == "reset"]
    return CircuitFacts(
        num_qubits=len(qubits_of(steps)),
        num_clbits=measured,
        measured=measured,
        features=(Feature("reset", resets[0]),) if resets else (),
    )


def qubits_of(steps: Sequence[StimStep]) -> list[int]:
    """Numbers of the qubits that a step acts on, ascending."""
    return sorted({qubit for step in steps for qubit in step.qubits})


def circuit_of_steps(steps: Sequence[StimStep]) -> QuantumCircuit:
    """The circuit on the qubits of `qubits_of(steps)`, in their order."""
    from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

    qubits = qubits_of(steps)
    place = {number: index for index, number in enumerate(qubits)}
    bits = ClassicalRegister(sum(step.name == "measure" for step in steps), REGISTER)
    circuit = QuantumCircuit(QuantumRegister(len(qubits), "q"), bits)
    for step in steps:
        if step.name == "measure":
            circuit.measure(place[step.qubits[0]], step.bit)
        elif step.name == "barrier":
            circuit.barrier()
        else:
            getattr(circuit, step.name)(*(place[qubit] for qubit in step.qubits))
    return circuit
