"""Which of Aer's methods simulates a circuit, whether exactly, and how much memory that takes.

The choice depends on the circuit, the shots and whether there is noise, never on the machine it
runs on: counts would. Too little memory refuses the circuit. Thresholds: docs/simulation.md.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from iqm_spec.errors import Refused
from iqm_spec.native import Native
from iqm_spec.stages.aer.shape import Shape, shape_of

DENSITY_MATRIX_QUBITS = 10
"""Noisy circuits up to here get exact probabilities whatever the shots."""
DENSITY_MATRIX_MOST = 12
"""With many shots (2^(n+1) of them), noisy circuits get exact probabilities up to here."""
STATEVECTOR_QUBITS = 20
"""Ideal circuits up to here get exact probabilities by a state vector."""
STATEVECTOR_MOST = 28
"""State vectors up to here (4 GiB) are preferred to a matrix product state that is cut off."""
DENSE_BITS = 24
"""Probabilities are taken out and listed for at most so many measured bits."""
BOND_BITS_EXACT = 8
"""Matrix product states of ideal circuits with bonds of up to 2^8 need no limit."""
BOND_LIMIT = 2**BOND_BITS_EXACT
"""Bond dimension at which other matrix product states are cut off."""


@frozen
class Choice:
    """How a circuit will be simulated.

    `exact`: counts are drawn from exact probabilities; else by Aer, shot by shot or from its final
    state. `seconds` is a rough estimate on one core of 2020's, good for packing work, no more.
    """

    method: str
    why: str
    bytes_needed: int
    exact: bool
    seconds: float


def choose_method(
    circuit: Native,
    shots: int,
    noisy: bool,
    asked: str = "automatic",
    memory_bytes: int | None = None,
) -> Choice:
    """The method for `circuit`, `asked` or the best; Refused where that cannot be done.

    With `memory_bytes`, a circuit that needs more is refused (`refused.memory`), naming the method
    that could.
    """
    shape = shape_of(circuit)
    if asked == "automatic":
        method, why = _best(shape, shots, noisy)
    else:
        method, why = asked, "asked for"
    if reason := _impossible(method, shape, noisy):
        raise Refused(reason, hint="leave `aer.method` out to have one chosen", code="refused.aer")
    choice = _choice(method, why, shape, shots, noisy)
    if memory_bytes is not None and choice.bytes_needed > memory_bytes:
        raise _too_large(choice, shape, shots, noisy, memory_bytes)
    return choice


def _best(shape: Shape, shots: int, noisy: bool) -> tuple[str, str]:
    return _best_noisy(shape, shots) if noisy else _best_ideal(shape)


def _best_noisy(shape: Shape, shots: int) -> tuple[str, str]:
    n = shape.width
    if shape.final and n <= DENSITY_MATRIX_QUBITS:
        return "density_matrix", f"exact, as {n} components are at most {DENSITY_MATRIX_QUBITS}"
    if shape.final and n <= DENSITY_MATRIX_MOST and shots >= 2 ** (n + 1):
        return "density_matrix", f"exact, and {shots} shots of {n} components would take longer"
    vector, product = _vector_step(n), _product_step(shape)
    if n <= STATEVECTOR_MOST and (vector <= product or n <= DENSITY_MATRIX_QUBITS):
        return "statevector", "cheaper per shot than a matrix product state"
    return (
        "matrix_product_state",
        f"bonds of at most 2^{shape.bond_bits}, cheaper than 2^{n} numbers",
    )


def _best_ideal(shape: Shape) -> tuple[str, str]:
    n = shape.width
    if n <= STATEVECTOR_QUBITS:
        return "statevector", f"exact, as {n} components are at most {STATEVECTOR_QUBITS}"
    if shape.clifford:
        return "stabilizer", "every gate is Clifford"
    if shape.bond_bits <= BOND_BITS_EXACT:
        return "matrix_product_state", f"bonds of at most 2^{shape.bond_bits}"
    if n <= STATEVECTOR_MOST:
        return "statevector", f"too entangled for a matrix product state, {n} components fit"
    return "matrix_product_state", f"too wide for anything exact: bonds cut off at {BOND_LIMIT}"


def _impossible(method: str, shape: Shape, noisy: bool) -> str:
    if method == "stabilizer" and noisy:
        return "the stabilizer method cannot simulate this noise: relaxation is not a Pauli error"
    if method == "stabilizer" and not shape.clifford:
        return "the stabilizer method simulates Clifford circuits only, and this is not one"
    return ""


def _choice(method: str, why: str, shape: Shape, shots: int, noisy: bool) -> Choice:
    n, bits = shape.width, len(shape.measured)
    exact = shape.final and _from_probabilities(method, bits, noisy)
    steps = max(1, shape.gates) * (1 if exact or (shape.final and not noisy) else shots)
    needed = _BYTES[method](shape) + (32 * 2**bits if exact and method != "stabilizer" else 0)
    step = {
        "density_matrix": max(30e-6, 9e-9 * 4.0 ** min(n, 99)),
        "statevector": _vector_step(n),
        "matrix_product_state": _product_step(shape),
        "stabilizer": 1e-6 * n,
    }[method]
    return Choice(method, why, needed + shots * (n + 100), exact, 1e-3 + steps * step)


def _from_probabilities(method: str, bits: int, noisy: bool) -> bool:
    if method == "stabilizer":
        return True
    if method == "density_matrix":
        return bits <= DENSE_BITS
    return method == "statevector" and not noisy and bits <= DENSE_BITS


def _vector_step(width: int) -> float:
    """Seconds per gate and shot of a state vector."""
    return max(8e-6, 5e-9 * 2.0 ** min(width, 99))


def _product_step(shape: Shape) -> float:
    """Seconds per gate and shot of a matrix product state."""
    return 15e-6 + 15e-9 * 8.0 ** min(shape.bond_bits, BOND_BITS_EXACT)


def _product_bytes(shape: Shape) -> int:
    entries: int = 2 * 4 ** min(shape.bond_bits, BOND_BITS_EXACT)
    return 3 * 16 * entries * shape.width


_BYTES: dict[str, Callable[[Shape], int]] = {
    "statevector": lambda shape: 16 * 2**shape.width,
    "density_matrix": lambda shape: 16 * 4**shape.width,
    "matrix_product_state": _product_bytes,
    "stabilizer": lambda shape: 4 * shape.width**2,
}


def _too_large(choice: Choice, shape: Shape, shots: int, noisy: bool, memory: int) -> Refused:
    others = [
        other
        for method in _BYTES
        if method != choice.method
        and not _impossible(method, shape, noisy)
        and (other := _choice(method, "", shape, shots, noisy)).bytes_needed <= memory
    ]
    hint = "run it on a machine with more memory, or with fewer qubits or shots"
    if others:
        least = min(others, key=lambda other: other.seconds)
        hint = f"`aer: {{method: {least.method}}}` needs {in_words(least.bytes_needed)}"
    return Refused(
        f"a circuit on {shape.width} components needs {in_words(choice.bytes_needed)} of memory by "
        f"the method {choice.method}; {in_words(memory)} are at hand",
        hint=hint,
        code="refused.memory",
    )


def in_words(size: int) -> str:
    """Bytes with a binary unit: `16 GiB`."""
    power = min(max(0, (size.bit_length() - 1) // 10), 8)
    return f"{size / 1024**power:.4g} {('B', *(f'{c}iB' for c in 'KMGTPEZY'))[power]}"
