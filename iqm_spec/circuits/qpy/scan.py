"""Walks through a QPY file before qiskit loads it, by the format's published description.

Loading calls classes by the names in the file with sizes from the file, and old versions evaluate
text or unpickle. So: versions 13 to 15 only, instructions from a list, everything bounded.
https://docs.quantum.ibm.com/api/qiskit/qpy
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from iqm_spec.circuits.qasm.sizes import MOST_BITS, MOST_OPERATIONS
from iqm_spec.circuits.qpy.instructions import ALLOWED
from iqm_spec.circuits.qpy.reader import QpyInvalid, Reader
from iqm_spec.circuits.qpy.values import check_value

VERSIONS = range(13, 16)
"""QPY versions that are read: written by qiskit 1.3 and later."""

_DEEPEST = 50
_DECOMPOSE = "call circuit.decompose() before `qpy.dump`"
_CUSTOM = ("Gate", "Instruction", "ControlledGate")


def scan(data: bytes) -> None:
    """Raises `QpyInvalid` unless `data` is one circuit that is safe to load."""
    reader = Reader(data)
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


def _circuit(reader: Reader, version: int, depth: int) -> int:
    """Passes over a circuit; its number of operations with everything expanded."""
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
    _registers(reader, registers)
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
    return _circuit(Reader(data), version, depth)


def _registers(reader: Reader, count: int) -> None:
    bits = 0
    for _ in range(count):
        _, _, size, name, _ = reader.unpack("!c?IH?")
        bits += size
        reader.take(name)
        reader.take(8 * size)
        if bits > 4 * MOST_BITS:
            raise QpyInvalid("its registers are too large")


def _custom_operations(reader: Reader, version: int, depth: int) -> dict[str, int]:
    """Names of the gates that the file defines, with the number of operations of each."""
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
    for base in bases:  # the gate that is controlled may stand after the controlled one
        if base:
            _instruction(Reader(base), sizes, version, depth + 1, placed=False)
    return sizes


def _instruction(
    reader: Reader, custom: Mapping[str, int], version: int, depth: int, *, placed: bool = True
) -> int:
    """Operations of one instruction; one that is not `placed` is a gate without its qubits."""
    head = reader.unpack("!HHHIIBHqII")
    name_size, label, parameters, qubits, clbits, extras, condition, _, controls, _ = head
    name = reader.text(name_size)
    if name not in custom and name not in ALLOWED:
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
        total += _typed(reader, nested)
    reader.take(5 * (qubits + clbits) if placed else 0)
    return total + sum(_typed(reader, nested) for _ in range(parameters))


def _typed(reader: Reader, nested: partial[int]) -> int:
    kind, size = reader.unpack("!BQ")
    return check_value(kind, reader.take(size), nested)
