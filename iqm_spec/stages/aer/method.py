"""Which of Aer's methods simulates a circuit, whether exactly, and how much memory that takes.

The choice depends on the circuit's shape (width, measurements, entanglement, Clifford or not), the
shots and whether there is noise. It never depends on the machine it runs on, or counts would, too:
too little memory refuses the circuit. Thresholds: docs/simulation.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import lru_cache
from math import pi

from attrs import evolve, frozen

from iqm_spec.errors import Refused
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.native import Native, Template

DENSITY_MATRIX_QUBITS = 10
"""Noisy circuits up to here get exact probabilities whatever the shots."""
DENSITY_MATRIX_MOST = 12
"""With many shots (2^(n+1) of them), noisy circuits get exact probabilities up to here."""
STATEVECTOR_QUBITS = 20
"""Ideal circuits up to here get exact probabilities by a state vector."""
STATEVECTOR_MOST = 28
"""State vectors up to here (4 GiB) are preferred to a matrix product state that is cut off."""
DENSE_BITS = 24
"""Probabilities of all outcomes are listed for at most so many measured bits."""
BOND_BITS_EXACT = 8
"""Matrix product states of ideal circuits with bonds of up to 2^8 need no limit."""
BOND_LIMIT = 2**BOND_BITS_EXACT
"""Bond dimension at which other matrix product states are cut off."""

_TOLERANCE = 1e-9
"""Radians by which an angle may miss a multiple of pi/4 and still count as one."""


@frozen
class Choice:
    """How a circuit will be simulated.

    `exact`: counts are drawn from exact probabilities; else by Aer, shot by shot or from its final
    state. `seconds` is a rough estimate on one core of a server of 2020, to cut work into chunks.
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
    """The method for `circuit`: the best, or `asked`; Refused if that cannot simulate it.

    With `memory_bytes`, a circuit that needs more is refused (`refused.memory`); the hint names a
    method that needs less.
    """
    shape = shape_of(circuit)
    if asked != "automatic":
        method, why = asked, "asked for"
    elif noisy:
        method, why = _best_noisy(shape, shots)
    else:
        method, why = _best_ideal(shape)
    if reason := _impossible(method, shape, noisy):
        raise Refused(reason, hint="leave `aer.method` out to have one chosen", code="refused.aer")
    choice = _choice(method, why, shape, shots, noisy)
    if memory_bytes is not None and choice.bytes_needed > memory_bytes:
        raise _too_large(choice, shape, shots, noisy, memory_bytes)
    return choice


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
    """Why `method` cannot simulate the circuit; empty if it can."""
    if method == "stabilizer" and noisy:
        return "the stabilizer method cannot simulate this noise: relaxation is not a Pauli error"
    if method == "stabilizer" and not shape.clifford:
        return "the stabilizer method simulates Clifford circuits only, and this is not one"
    return ""


def _choice(method: str, why: str, shape: Shape, shots: int, noisy: bool) -> Choice:
    n, bits = shape.width, len(shape.measured)
    is_listed = method == "density_matrix" or (method == "statevector" and not noisy)
    has_probabilities = method == "stabilizer" or (is_listed and bits <= DENSE_BITS)
    exact = shape.final and has_probabilities
    steps = max(1, shape.gates) * (1 if exact or (shape.final and not noisy) else shots)
    needed = _BYTES[method](shape) + (32 * 2**bits if exact and method != "stabilizer" else 0)
    step = {
        "density_matrix": max(30e-6, 9e-9 * 4.0 ** min(n, 99)),
        "statevector": _vector_step(n),
        "matrix_product_state": _product_step(shape),
        "stabilizer": 1e-6 * n,
    }[method]
    return Choice(method, why, needed + shots * (n + 100), exact, 1e-3 + steps * step)


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
        hint = f"`aer: {{method: {least.method}}}` needs {format_bytes(least.bytes_needed)}"
    return Refused(
        f"a circuit on {shape.width} components needs {format_bytes(choice.bytes_needed)} of "
        f"memory by the method {choice.method}; {format_bytes(memory)} are at hand",
        hint=hint,
        code="refused.memory",
    )


def format_bytes(size: int) -> str:
    """Bytes with a binary unit: `16 GiB`."""
    power = min(max(0, (size.bit_length() - 1) // 10), 8)
    return f"{size / 1024**power:.4g} {('B', *(f'{c}iB' for c in 'KMGTPEZY'))[power]}"


# --- the shape of a circuit -----------------------------------------------------------------------


@frozen
class Shape:
    """The properties of a circuit that decide how it can be simulated.

    `measured` are (classical bit, component) of the last measurement into each bit, by bit.
    `final`: no component is used again after it was measured, none is reset, and nothing depends
    on an outcome.
    `bond_bits` bounds the logarithm to base 2 of the bonds of a matrix product state of the
    components `in_line`.
    """

    width: int
    gates: int
    measured: tuple[tuple[int, int], ...]
    final: bool
    clifford: bool
    bond_bits: int


def shape_of(native: Native) -> Shape:
    """The circuit's shape."""
    turns = [*zip(native.angles[::2], native.angles[1::2], strict=True)]
    turns += [
        (op.params[0], op.params[1]) for op in native.template.structure.ops if op.name == "cc_r"
    ]
    clifford = all(quarter_turns(theta, phi) is not None for theta, phi in turns)
    shape = shape_of_template(native.template)
    return evolve(shape, clifford=True) if clifford else shape


@lru_cache(maxsize=4096)
def shape_of_template(template: Template) -> Shape:
    """The shape of those circuits of a template that are not Clifford."""
    circuit = template.structure
    gates = [op for op in circuit.ops if op.name in ("r", "cc_r", "cz", "move")]
    return Shape(
        width=len(circuit.components),
        gates=len(gates),
        measured=_measured(circuit),
        final=_is_final(circuit),
        clifford=False,
        bond_bits=_bond_bits(line_order(circuit), gates),
    )


def quarter_turns(theta: float, phi: float) -> tuple[int, int] | None:
    """The angle of an `r` in units of pi/2 and its axis in units of pi/4, or None.

    None unless the gate is Clifford: half turns about any of eight axes, quarter turns about four.
    """
    turns, axis = round(theta / (pi / 2)), round(phi / (pi / 4))
    if abs(theta - turns * pi / 2) > _TOLERANCE:
        return None
    if turns % 4 == 0:
        return 0, 0
    if abs(phi - axis * pi / 4) > _TOLERANCE or (turns % 2 and axis % 2):
        return None
    return turns % 4, axis % 8


def in_line(native: Native) -> Native:
    """The same circuit with its components in `line_order`: smaller bonds, fewer swaps in Aer."""
    circuit = native.template.structure
    order = line_order(circuit)
    new = {old: index for index, old in enumerate(order)}
    reordered = evolve(
        circuit,
        components=tuple(circuit.components[q] for q in order),
        ops=tuple(evolve(op, qubits=tuple(new[q] for q in op.qubits)) for op in circuit.ops),
    )
    return Native(Template(reordered), native.angles)


def line_order(circuit: NativeCircuit) -> list[int]:
    """Components in a line in which those that interact are near each other.

    The better of the given order and that of Cuthill and McKee.
    """
    gates = [op for op in circuit.ops if op.name in ("cz", "move")]
    orders = (list(range(len(circuit.components))), _breadth_first(circuit))
    return min(orders, key=lambda order: _bond_bits(order, gates))


def _breadth_first(circuit: NativeCircuit) -> list[int]:
    """Cuthill and McKee: breadth first from a component of few neighbors, fewest first."""
    near: dict[int, set[int]] = {q: set() for q in range(len(circuit.components))}
    for op in circuit.ops:
        if op.name in ("cz", "move"):
            a, b = op.qubits
            near[a].add(b)
            near[b].add(a)
    visited: dict[int, None] = {}
    for start in sorted(near, key=lambda q: (len(near[q]), q)):
        waiting = deque([] if start in visited else [start])
        while waiting:
            component = waiting.popleft()
            if component not in visited:
                visited[component] = None
                waiting += sorted(near[component] - visited.keys(), key=lambda q: (len(near[q]), q))
    return list(visited)


def without_moves(native: Native) -> Native:
    """The same ideal circuit with each `move` replaced by a change of names.

    It has no delays and barriers, and no component that is then neither measured nor acted on,
    such as a star's resonator.
    """
    return Native(_without_moves(native.template), native.angles)


@lru_cache(maxsize=1024)
def _without_moves(template: Template) -> Template:
    circuit = template.structure
    place = list(range(len(circuit.components)))
    ops = []
    for op in circuit.ops:
        if op.name == "move":
            a, b = op.qubits
            place[a], place[b] = place[b], place[a]
        elif op.name not in ("delay", "barrier"):
            ops.append(evolve(op, qubits=tuple(place[q] for q in op.qubits)))
    used = sorted({q for op in ops for q in op.qubits})
    new = {old: index for index, old in enumerate(used)}
    renamed = NativeCircuit(
        components=tuple(circuit.components[q] for q in used),
        registers=circuit.registers,
        ops=tuple(evolve(op, qubits=tuple(new[q] for q in op.qubits)) for op in ops),
    )
    return Template(renamed)


def gates_only(circuit: NativeCircuit, *others: str) -> NativeCircuit:
    """The circuit's gates, and `others` by name, alone: without classical registers."""
    gates = tuple(op for op in circuit.ops if op.name in ("r", "cz", "move", *others))
    return NativeCircuit(circuit.components, (), gates)


def _measured(circuit: NativeCircuit) -> tuple[tuple[int, int], ...]:
    last = {op.clbits[0]: op.qubits[0] for op in circuit.ops if op.name == "measure"}
    return tuple(sorted(last.items()))


def _is_final(circuit: NativeCircuit) -> bool:
    done: set[int] = set()
    for op in circuit.ops:
        if op.name in ("barrier", "delay"):
            continue
        if op.name not in ("r", "cz", "move", "measure") or not done.isdisjoint(op.qubits):
            return False
        if op.name == "measure":
            done.update(op.qubits)
    return True


def _bond_bits(order: list[int], gates: list[Op]) -> int:
    """A bound of the largest bond, as the logarithm to base 2.

    A cz across a cut at most doubles the Schmidt rank there; a move, as a swap, quadruples it.
    """
    width = len(order)
    place = {component: index for index, component in enumerate(order)}
    crossing = [0] * (width + 1)
    for op in gates:
        if len(op.qubits) == 2:
            low, high = sorted(place[q] for q in op.qubits)
            for cut in range(low + 1, high + 1):
                crossing[cut] += 2 if op.name == "move" else 1
    return max((min(cut, width - cut, crossing[cut]) for cut in range(width + 1)), default=0)
