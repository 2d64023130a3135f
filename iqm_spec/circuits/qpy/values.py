"""Checks parameters in a QPY file: numbers, symbols, expressions, matrices, nested circuits."""

from __future__ import annotations

import io
import math
from collections.abc import Callable

from iqm_spec.circuits.qpy.reader import QpyInvalid, Reader

LONGEST_VECTOR = 100_000
"""Elements of a parameter vector: all of them are made when one occurs."""

_BINARY = frozenset({0, 1, 2, 3, 4, 13, 15, 18, 19, 20})
"""Operation codes of QPY that take two operands."""

_PLAIN = frozenset(b"ifcszdRxr")
"""Types whose reading takes no more than their bytes."""


def check_value(kind: int, data: bytes, circuit: Callable[[bytes], int]) -> int:
    """Operations that the value adds: those of a nested circuit, which `circuit` counts."""
    if kind in _PLAIN:
        return 0
    if kind == ord("q"):
        return circuit(data)
    if kind == ord("t"):
        reader = Reader(data)
        (count,) = reader.unpack("!Q")
        return sum(_check_typed(reader, circuit) for _ in range(_bounded(count, reader)))
    if kind == ord("p"):
        Reader(data).unpack("!H16s")
    elif kind == ord("v"):
        _check_vector(Reader(data))
    elif kind == ord("e"):
        _check_expression(Reader(data))
    elif kind == ord("n"):
        _check_array(data)
    else:
        raise QpyInvalid(f"it holds a value of type {bytes([kind])!r}", "decompose the circuit")
    return 0


def _check_typed(reader: Reader, circuit: Callable[[bytes], int]) -> int:
    kind, size = reader.unpack("!BQ")
    return check_value(kind, reader.take(size), circuit)


def _bounded(count: int, reader: Reader) -> int:
    """A count of things that take at least a byte each."""
    if count > reader.left:
        raise QpyInvalid("the file ends in the middle", "write it again with `qpy.dump`")
    return count


def _check_vector(reader: Reader) -> None:
    name_size, length, _, _ = reader.unpack("!HQ16sQ")
    reader.take(name_size)
    if length > LONGEST_VECTOR:
        raise QpyInvalid(f"it has a vector of {length:,} parameters", "use fewer parameters")


def _check_expression(reader: Reader) -> None:
    """Symbols and operations; an operation on numbers alone is never written by qiskit."""
    symbols, size = reader.unpack("!QQ")
    operations = Reader(reader.take(size))
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


def _check_operation(operations: Reader, numbers: list[bool]) -> None:
    """One operation on a stack of which only is known what is a plain number."""
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
    """A NumPy array of numbers that is as large as its header says."""
    from numpy.lib import format as npy

    stream = io.BytesIO(data)
    try:
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        shape, _, kind = read[npy.read_magic(stream)](stream)
    except Exception as error:
        raise QpyInvalid("a matrix in the file cannot be read") from error
    size = math.prod(shape) * kind.itemsize
    if kind.kind not in "biufc" or size != len(data) - stream.tell():
        raise QpyInvalid("a matrix in the file is not what it says")
