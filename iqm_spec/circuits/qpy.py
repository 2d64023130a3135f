"""QPY files: any bytes to facts or problems, and to a circuit.

Qiskit's loader calls classes by the names in the file with sizes from the file, and its old
versions evaluate text or unpickle. So the file is scanned first, by the format's published
description (https://docs.quantum.ibm.com/api/qiskit/qpy): versions 13 to 15 only, listed
instructions only, every size bounded.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from iqm_spec.circuits.angles import ANGLE_HINT, non_finite_angles
from iqm_spec.circuits.circuit_files import LARGEST_FILE, MOST_BITS, MOST_OPERATIONS
from iqm_spec.circuits.expand import expand_definitions
from iqm_spec.circuits.facts import facts_of
from iqm_spec.circuits.problems import CircuitError, CircuitFileProblem
from iqm_spec.model import CircuitFacts

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


VERSIONS = range(13, 16)
"""QPY versions that are read, written by Qiskit 1.3 and later."""

LONGEST_VECTOR = 100_000
"""Elements of a parameter vector: Qiskit makes all of them where one occurs."""

_NAMES = """
    Barrier Delay Measure Reset BoxOp BreakLoopOp ContinueLoopOp ForLoopOp IfElseOp SwitchCaseOp
    WhileLoopOp C3SXGate C3XGate C4XGate CCXGate CCZGate CHGate CPhaseGate CRXGate CRYGate
    CRZGate CSGate CSXGate CSdgGate CSwapGate CU1Gate CU3Gate CUGate CXGate CYGate CZGate
    DCXGate ECRGate GlobalPhaseGate HGate IGate MCPhaseGate MCXGate PhaseGate RC3XGate RCCXGate
    RGate RVGate RXGate RXXGate RYGate RYYGate RZGate RZXGate RZZGate SGate SXGate SXdgGate
    SdgGate SwapGate TGate TdgGate U1Gate U2Gate U3Gate UGate XGate XXMinusYYGate XXPlusYYGate
    YGate ZGate iSwapGate Initialize StatePreparation UnitaryGate DiagonalGate PermutationGate
    PauliGate QFTGate
"""

ALLOWED_INSTRUCTIONS = frozenset(_NAMES.split())
"""Names of Qiskit's classes that a file may call: gates whose size is that of their operands."""

_CUSTOM = ("Gate", "Instruction", "ControlledGate")

_DEEPEST = 50

_BINARY = frozenset({0, 1, 2, 3, 4, 13, 15, 18, 19, 20})
"""Operation codes of QPY that take two operands."""

_PLAIN = frozenset(b"ifcszdRxr")
"""Types of values that take no more memory than their bytes."""

_DECOMPOSE = "call circuit.decompose() before `qpy.dump`"


class QpyInvalid(Exception):
    """No QPY file that this program reads; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def inspect_qpy(data: bytes) -> tuple[CircuitFacts | None, tuple[CircuitFileProblem, ...]]:
    """Facts of a QPY file of one circuit, or None and what is wrong with it: S402, S403.

    Any bytes give one or the other, at line 1 and column 1. Nothing in the file is run, evaluated
    or unpickled, and nothing is built that is larger than the limits of `circuit_files`.
    """
    try:
        facts = facts_of(_load(data))
    except QpyInvalid as invalid:
        return None, (CircuitFileProblem(1, 1, "S402", str(invalid), invalid.hint),)
    if facts.measured == 0:
        hint = "call circuit.measure_all() before `qpy.dump`"
        return None, (CircuitFileProblem(1, 1, "S403", "the circuit measures nothing", hint),)
    return facts, ()


def circuit_of_qpy(data: bytes) -> QuantumCircuit:
    """A new circuit from a QPY file; raises `QpyInvalid`."""
    return _load(data).copy()


@lru_cache(maxsize=8)
def _load(data: bytes) -> QuantumCircuit:
    if len(data) > LARGEST_FILE:
        raise QpyInvalid(f"it is larger than {LARGEST_FILE // 2**20} MiB")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scan(data)
        from qiskit import qpy

        loaded: QuantumCircuit
        try:
            (loaded,) = qpy.load(io.BytesIO(data))
        except Exception as error:
            text = f"qiskit cannot load it: {type(error).__name__}: {error}"
            raise QpyInvalid(text, "write it again with `qpy.dump`") from error
        for gate, value in non_finite_angles(loaded):
            raise QpyInvalid(f"an angle of `{gate}` is {value}", ANGLE_HINT)
        if sum(map(len, loaded.cregs)) > len(
            {bit for register in loaded.cregs for bit in register}
        ):
            text = "its classical registers share bits"
            raise QpyInvalid(text, "give each register bits of its own")
        try:
            return expand_definitions(loaded)
        except CircuitError as error:
            raise QpyInvalid(str(error), error.hint) from error


def scan(data: bytes) -> None:
    """Raises `QpyInvalid` unless `data` is one circuit that is safe to load."""
    reader = ByteReader(data)
    if data[:6] != b"QISKIT":
        raise QpyInvalid("this is no QPY file", "write it with `qiskit.qpy.dump`")
    _, version, major, minor, _, programs, encoding = reader.unpack("!6sBBBBQc")
    if version not in VERSIONS:
        text = f"it is QPY version {version} (qiskit {major}.{minor}); 13 to 15 are read"
        raise QpyInvalid(text, "load and dump it with qiskit 1.3 to 2.1")
    if encoding not in b"pe" or reader.take(1) != b"q":
        raise QpyInvalid("it holds no circuit", "write it with `qiskit.qpy.dump`")
    if programs != 1:
        text = f"it holds {programs} circuits, not one"
        raise QpyInvalid(text, "dump each circuit into a file of its own")
    _circuit(reader, version, 0)


def _circuit(reader: ByteReader, version: int, depth: int) -> int:
    """Scan a circuit; return its number of operations with definitions expanded."""
    if depth > _DEEPEST:
        raise QpyInvalid("its definitions are nested too deep", _DECOMPOSE)
    name, phase, phase_size, qubits, clbits, metadata, registers, instructions, variables = (
        reader.unpack("!HBHIIQIQI")
    )
    if max(qubits, clbits) > MOST_BITS:
        raise QpyInvalid(f"it has more than {MOST_BITS:,} qubits or bits")
    if variables:
        raise QpyInvalid("it declares classical variables", "use classical registers only")
    reader.take(name)
    nested = partial(_nested, version=version, depth=depth + 1)
    check_value(phase, reader.take(phase_size), nested)
    reader.take(metadata)
    bits = 0
    for _ in range(registers):
        _, _, size, name, _ = reader.unpack("!c?IH?")
        bits += size
        reader.take(name)
        reader.take(8 * size)
        if bits > 4 * MOST_BITS:
            raise QpyInvalid("its registers are too large")
    if version >= 15 and reader.unpack("!I") != (0,):
        raise QpyInvalid("it has annotations", "remove them from the circuit")
    custom = _custom_operations(reader, version, depth)
    total = 0
    for _ in range(instructions):
        total += _instruction(reader, custom, version, depth)
        if total > MOST_OPERATIONS:
            raise QpyInvalid(f"it expands to more than {MOST_OPERATIONS:,} operations")
    if reader.unpack("!H") != (0,):
        raise QpyInvalid("it has pulse calibrations", "remove them from the circuit")
    return total


def _nested(data: bytes, version: int, depth: int) -> int:
    return _circuit(ByteReader(data), version, depth)


def _custom_operations(reader: ByteReader, version: int, depth: int) -> dict[str, int]:
    """Number of operations of each gate that the file defines, by name."""
    sizes: dict[str, int] = {}
    bases = []
    (count,) = reader.unpack("!Q")
    for _ in range(count):
        head = reader.unpack("!HcII?QIIQ")
        name_size, kind, qubits, clbits, defined, size, controls, _, base_size = head
        name = reader.text(name_size)
        if kind not in b"igc" or name.startswith("###PauliEvolutionGate"):
            raise QpyInvalid("it holds an operation whose definition is code", _DECOMPOSE)
        if max(qubits, clbits) > MOST_BITS or controls > qubits:
            raise QpyInvalid(f"its gate `{name[:60]}` is too wide", _DECOMPOSE)
        if not defined:
            text = f"its gate `{name.rpartition('_')[0][:60]}` is opaque: nothing says what it does"
            raise QpyInvalid(text, "give the gate a definition")
        sizes[name] = _nested(reader.take(size), version, depth + 1)
        bases.append(reader.take(base_size))
    for base in bases:  # a controlled gate may precede the gate that it controls
        if base:
            _instruction(ByteReader(base), sizes, version, depth + 1, placed=False)
    return sizes


def _instruction(
    reader: ByteReader, custom: Mapping[str, int], version: int, depth: int, *, placed: bool = True
) -> int:
    """Number of operations of an instruction; one that is not `placed` has no list of qubits."""
    head = reader.unpack("!HHHIIBHqII")
    name_size, label, parameters, qubits, clbits, extras, condition, _, controls, _ = head
    name = reader.text(name_size)
    if name not in custom and name not in ALLOWED_INSTRUCTIONS:
        raise QpyInvalid(f"its instruction `{name[:60]}` is not read", _DECOMPOSE)
    if name in _CUSTOM and name not in custom:
        raise QpyInvalid(f"its instruction `{name}` is not defined", _DECOMPOSE)
    if extras & 0x80:
        raise QpyInvalid("it has annotations", "remove them from the circuit")
    if max(qubits, clbits, controls) > MOST_BITS:
        raise QpyInvalid(f"its instruction `{name[:60]}` is too wide", _DECOMPOSE)
    reader.take(label)
    reader.take(condition)
    nested = partial(_nested, version=version, depth=depth + 1)
    total = custom.get(name, 1)
    if extras & 0b11 == 0b10:
        total += _check_typed(reader, nested)
    reader.take(5 * (qubits + clbits) if placed else 0)
    return total + sum(_check_typed(reader, nested) for _ in range(parameters))


def check_value(kind: int, data: bytes, count_nested: Callable[[bytes], int]) -> int:
    """Operations that the value adds: those of nested circuits, by `count_nested`."""
    if kind in _PLAIN:
        return 0
    if kind == ord("q"):
        return count_nested(data)
    if kind == ord("t"):
        reader = ByteReader(data)
        (count,) = reader.unpack("!Q")
        return sum(_check_typed(reader, count_nested) for _ in range(_bounded(count, reader)))
    if kind == ord("p"):
        ByteReader(data).unpack("!H16s")
    elif kind == ord("v"):
        _check_vector(ByteReader(data))
    elif kind == ord("e"):
        _check_expression(ByteReader(data))
    elif kind == ord("n"):
        _check_array(data)
    else:
        raise QpyInvalid(f"it holds a value of type {bytes([kind])!r}", "decompose the circuit")
    return 0


def _check_typed(reader: ByteReader, count_nested: Callable[[bytes], int]) -> int:
    kind, size = reader.unpack("!BQ")
    return check_value(kind, reader.take(size), count_nested)


def _bounded(count: int, reader: ByteReader) -> int:
    """`count` of items of at least a byte each, which must fit into what is left."""
    if count > reader.left:
        raise QpyInvalid("the file ends in the middle", "write it again with `qpy.dump`")
    return count


def _check_vector(reader: ByteReader) -> None:
    name_size, length, _, _ = reader.unpack("!HQ16sQ")
    reader.take(name_size)
    if length > LONGEST_VECTOR:
        raise QpyInvalid(f"it has a vector of {length:,} parameters", "use fewer parameters")


def _check_expression(reader: ByteReader) -> None:
    """Check symbols and operations; Qiskit writes no operation on numbers alone."""
    symbols, size = reader.unpack("!QQ")
    operations = ByteReader(reader.take(size))
    for _ in range(_bounded(symbols, reader)):
        symbol, kind, length = reader.unpack("!BBQ")
        if symbol == ord("p"):
            name_size, _ = reader.unpack("!H16s")
            reader.take(name_size)
        elif symbol == ord("v"):
            _check_vector(reader)
        if symbol not in b"pv" or kind not in b"ifcpv":
            raise _substituted()
        reader.take(length)
    numbers: list[bool] = []
    while operations.left:
        _check_operation(operations, numbers)


def _check_operation(operations: ByteReader, numbers: list[bool]) -> None:
    """Check an operation on a stack that holds, per operand, whether it is a plain number."""
    code, left, _, right, _ = operations.unpack("!BB16sB16s")
    for operand in (left, right):
        if operand in b"se":
            return
        if operand in b"pifc":
            numbers.append(operand != ord("p"))
        elif operand != ord("n"):
            raise _substituted()
    needed = 2 if code in _BINARY else 1
    operands = [numbers.pop() for _ in range(min(needed, len(numbers)))]
    if code == 255 or len(operands) < needed or all(operands):
        raise QpyInvalid("it holds an expression that qiskit does not write")
    numbers.append(False)


def _substituted() -> QpyInvalid:
    return QpyInvalid(
        "a parameter stands for another expression",
        "build the circuit with the final expressions instead of substituting them",
    )


def _check_array(data: bytes) -> None:
    """Check that a NumPy array holds numbers and is as large as its header says."""
    from numpy.lib import format as npy

    stream = io.BytesIO(data)
    try:
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        shape, _, kind = read[npy.read_magic(stream)](stream)
    except Exception as error:
        raise QpyInvalid("a matrix in the file cannot be read") from error
    size = math.prod(shape) * kind.itemsize
    if kind.kind not in "biufc" or size != len(data) - stream.tell():
        raise QpyInvalid("a matrix in the file differs from its header")


class ByteReader:
    """Reads bytes in order, never beyond their end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        end = self._place + size
        if size < 0 or end > len(self._data):
            raise QpyInvalid("the file ends in the middle", "write it again with `qpy.dump`")
        part = self._data[self._place : end]
        self._place = end
        return part

    def unpack(self, layout: str) -> tuple[Any, ...]:
        """The next values, of a `struct` layout."""
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def text(self, size: int) -> str:
        """The next `size` bytes as UTF-8."""
        try:
            return self.take(size).decode()
        except UnicodeDecodeError as error:
            raise QpyInvalid("a name in the file is not text") from error

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self._place
