"""A Stim file line by line: blocks unrolled within bounds, every step with the line it comes from.

Noise channels and the strength of measurement noise say how a decoder is to think of the machine
and are no steps of it; detectors, observables and coordinates are annotations. All of them stay in
the file, which is stored with the run and read again when its shots are decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from iqm_spec.circuits.errors import CircuitError
from iqm_spec.circuits.files import LARGEST_FILE
from iqm_spec.circuits.qasm.problem import QasmInvalid, QasmProblem
from iqm_spec.circuits.qasm.sizes import MOST_BITS, MOST_OPERATIONS
from iqm_spec.circuits.stim.steps import Step
from iqm_spec.diagnostics import printable

if TYPE_CHECKING:
    import stim

_DEEPEST = 64
_REPEAT = re.compile(r"\s*REPEAT(?:\[[^\]]*\])?\s+(\d{1,20})\s*\{\s*(?:#.*)?", re.IGNORECASE)
_HEAD = re.compile(r"\s*(\w*)(?:\[[^\]]*\])?(.?)")
"""A name with its tag, and the character behind them."""
_END = re.compile(r"\s*\}\s*(?:#.*)?")
_ANNOTATIONS = frozenset({"DETECTOR", "OBSERVABLE_INCLUDE", "QUBIT_COORDS", "SHIFT_COORDS"})
_NOT_OF_A_MACHINE = frozenset({"MPAD", "HERALDED_ERASE", "HERALDED_PAULI_CHANNEL_1"})
_GATES = {
    name: name.lower() for name in ("X", "Y", "Z", "H", "S", "SWAP", "ISWAP", "CX", "CY", "CZ")
} | {"S_DAG": "sdg", "SQRT_X": "sx", "SQRT_X_DAG": "sxdg"}
"""Stim's names to Qiskit's; other unitary gates are taken apart by Stim."""
_NOTHING = frozenset({"I", "II"})
_INTO_Z = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}
"""Gates that turn a basis into Z."""
_BACK = {"X": ("h",), "Y": ("h", "s"), "Z": ()}


@frozen
class _Line:
    """One instruction: its steps, whose bits count from 0, and how far back it looks."""

    number: int
    steps: tuple[Step, ...]
    measured: int
    lookback: int


@define
class _Block:
    """A block with the times that it is repeated, and where it begins."""

    number: int
    times: int
    items: list[_Line | _Block] = field(factory=list)

    def size(self) -> int:
        """Steps and annotations of all repetitions."""
        return self.times * sum(_size(item) for item in self.items)


def _size(item: _Line | _Block) -> int:
    return item.size() if isinstance(item, _Block) else max(1, len(item.steps))


def package() -> None:
    """CircuitError (S405) where the package `stim` is not installed."""
    try:
        import stim  # noqa: F401
    except ImportError as error:
        raise CircuitError(
            "S405",
            "a circuit of Stim needs the package stim, which is not installed",
            hint="pip install 'iqm-spec[stim]'",
        ) from error


def read_steps(data: bytes) -> list[Step]:
    """The steps of a Stim file, blocks unrolled; raises `QasmInvalid`, or CircuitError (S405)."""
    package()
    text = text_of(data)
    whole = _parsed(text)
    _check(text)
    _require_size(whole)
    steps = list(_unrolled(whole, [0]))
    qubits = {qubit for step in steps for qubit in step.qubits}
    measured = sum(step.name == "measure" for step in steps)
    for what, number in (("qubits", len(qubits)), ("measurements", measured)):
        if number > MOST_BITS:
            raise _wrong(1, f"the circuit has more than {MOST_BITS:,} {what}")
    return steps


def text_of(data: bytes) -> str:
    """The file as text; raises `QasmInvalid`."""
    if len(data) > LARGEST_FILE:
        raise _wrong(1, f"the file is larger than {LARGEST_FILE // 2**20} MiB", code="S411")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _wrong(line, f"byte 0x{data[error.start]:02x} is not UTF-8 text") from error


def _parsed(text: str) -> _Block:
    whole = _Block(1, 1)
    open_blocks = [whole]
    problems: list[QasmProblem] = []
    for number, line in enumerate(text.split("\n"), 1):
        if begin := _REPEAT.fullmatch(line):
            block = _Block(number, int(begin[1]))
            open_blocks[-1].items.append(block)
            open_blocks.append(block)
            if len(open_blocks) > _DEEPEST:
                raise _wrong(number, f"blocks are nested more than {_DEEPEST} deep")
        elif _END.fullmatch(line):
            if len(open_blocks) == 1:
                problems += _wrong(number, "`}` ends no block").problems
            else:
                open_blocks.pop()
        else:
            try:
                open_blocks[-1].items += _instructions(line, number)
            except QasmInvalid as invalid:
                problems += invalid.problems
    if problems:
        raise QasmInvalid(problems[:20])
    if len(open_blocks) > 1:
        raise _wrong(open_blocks[-1].number, "the block has no `}` at its end")
    return whole


def _check(text: str) -> None:
    """Let Stim read it as a whole: it is what decodes the shots."""
    import stim

    try:
        stim.Circuit(text)
    except (ValueError, IndexError) as error:
        raise _wrong(1, f"stim cannot read it: {_words(error)}") from error


def _instructions(line: str, number: int) -> Iterator[_Line]:
    import stim

    head = _HEAD.match(line)
    assert head is not None  # noqa: S101 - it matches an empty text
    if head[2] == "[":  # stim 1.16 would look for the end of the tag for ever
        raise _wrong(number, "the tag has no `]`")
    if head[1].upper() == "REPEAT":
        hint = "write `REPEAT N {` and `}` on lines of their own"
        raise _wrong(number, "this begins no block", hint=hint)
    try:
        found = stim.Circuit(line)
    except (ValueError, IndexError) as error:
        raise _wrong(number, _words(error)) from error
    for item in found:
        if not isinstance(item, stim.CircuitInstruction):
            raise _wrong(number, "a block begins and ends on lines of its own")
        back = [-t.value for t in item.targets_copy() if t.is_measurement_record_target]
        steps = tuple(_steps(item, number))
        measured = sum(step.name == "measure" for step in steps)
        yield _Line(number, steps, measured, max(back, default=0))


def _words(error: Exception) -> str:
    """The first line of what Stim says, which need not be text."""
    told = error.object if isinstance(error, UnicodeDecodeError) else str(error).encode()
    return printable(told.decode(errors="replace").strip().partition("\n")[0].rstrip("."))


def _steps(item: stim.CircuitInstruction, line: int) -> Iterator[Step]:
    """The steps of one instruction, its measurements numbered from 0."""
    import stim

    name = item.name
    if name in _ANNOTATIONS or name in _NOTHING:
        return
    if name in _NOT_OF_A_MACHINE:
        raise _wrong(line, f"`{name}` is nothing that a machine does", hint="take it out")
    gate = stim.gate_data(name)
    if gate.is_noisy_gate and not gate.produces_measurements:
        return
    _refuse_feedback(item, line)
    if name == "TICK":
        yield Step("barrier", (), line)
    elif name in _GATES:
        for group in item.target_groups():
            yield Step(_GATES[name], tuple(target.value for target in group), line)
    elif name in _MEASURES or name in _RESETS:
        yield from _measured_or_reset(item, line)
    else:
        yield from _taken_apart(item, line)


def _taken_apart(item: stim.CircuitInstruction, line: int) -> Iterator[Step]:
    """By Stim, into H, S, CX, M and R."""
    import stim

    plain = stim.Circuit()
    if item.name in _PAIRS:  # stim 1.16 takes them apart wrongly where a target is inverted
        plain.append("MPP", _products(item))
    else:
        plain.append(item)
    bit = 0
    try:
        parts = plain.without_noise().decomposed()
    except ValueError as error:
        raise _wrong(line, f"stim cannot take `{item.name}` apart: {error}") from error
    for part in parts:
        if isinstance(part, stim.CircuitInstruction):
            for step in _steps(part, line):
                if step.name == "measure":
                    yield Step("measure", step.qubits, line, bit)
                    bit += 1
                else:
                    yield step


_PAIRS = {"MXX": "X", "MYY": "Y", "MZZ": "Z"}


def _products(item: stim.CircuitInstruction) -> list[stim.GateTarget]:
    """The targets of measurements of pairs as those of `MPP`."""
    import stim

    pauli = _PAIRS[item.name]
    found: list[stim.GateTarget] = []
    for one, other in item.target_groups():
        inverted = one.is_inverted_result_target != other.is_inverted_result_target
        found += [
            stim.target_pauli(one.value, pauli, inverted),
            stim.target_combiner(),
            stim.target_pauli(other.value, pauli),
        ]
    return found


_MEASURES = {"M": "Z", "MX": "X", "MY": "Y", "MR": "Z", "MRX": "X", "MRY": "Y"}
_RESETS = {"R": "Z", "RX": "X", "RY": "Y", "MR": "Z", "MRX": "X", "MRY": "Y"}


def _measured_or_reset(item: stim.CircuitInstruction, line: int) -> Iterator[Step]:
    """A measurement turns its basis into Z and back; an inverted one flips the qubit around it."""
    measured, reset = _MEASURES.get(item.name), _RESETS.get(item.name)
    basis = measured or reset or "Z"
    for bit, target in enumerate(item.targets_copy()):
        qubit = (target.value,)
        if measured:
            flip = ["x"] if target.is_inverted_result_target else []
            yield from (Step(name, qubit, line) for name in (*_INTO_Z[basis], *flip))
            yield Step("measure", qubit, line, bit)
            if not reset:
                yield from (Step(name, qubit, line) for name in (*flip, *_BACK[basis]))
        if reset:
            yield Step("reset", qubit, line)
            yield from (Step(name, qubit, line) for name in _BACK[basis])


def _refuse_feedback(item: stim.CircuitInstruction, line: int) -> None:
    for target in item.targets_copy():
        if target.is_measurement_record_target:
            hint = "keep the correction out of the circuit: a decoder does it to the records"
            text = f"`{item.name}` depends on a measurement (`rec[{target.value}]`)"
            raise _wrong(line, text, hint=hint)
        if target.is_sweep_bit_target:
            text = f"`{item.name}` depends on a bit (`sweep[{target.value}]`) that no file gives"
            raise _wrong(line, text, hint="write a file per value")


def _require_size(block: _Block) -> None:
    """Raises `QasmInvalid` at the line with which the circuit is too large."""
    total = 0
    for item in block.items:
        total += _size(item)
        if total > MOST_OPERATIONS:
            text = f"the circuit has more than {MOST_OPERATIONS:,} operations from here on"
            raise _wrong(item.number, text, hint="repeat less often, or split it")


def _unrolled(block: _Block, measured: list[int]) -> Iterator[Step]:
    """The steps of a block as often as it is repeated; `measured` counts over all of them."""
    for _ in range(block.times):
        for item in block.items:
            if isinstance(item, _Block):
                yield from _unrolled(item, measured)
                continue
            if item.lookback > measured[0]:
                text = f"`rec[-{item.lookback}]` is before the first measurement"
                raise _wrong(item.number, text)
            yield from _numbered(item.steps, measured[0])
            measured[0] += item.measured


def _numbered(steps: Sequence[Step], first: int) -> Iterator[Step]:
    for step in steps:
        if step.name == "measure":
            yield Step("measure", step.qubits, step.line, first + step.bit)
        else:
            yield step


def _wrong(line: int, message: str, *, hint: str = "", code: str = "S402") -> QasmInvalid:
    return QasmInvalid([QasmProblem(line, 1, code, message, hint)])
