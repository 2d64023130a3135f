"""How measurements are named: Qiskit's classical bits in IQM's measurement keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from iqm_spec.model import NativeCircuit


def measurement_keys(registers: Sequence[tuple[str, int]]) -> list[str]:
    """By classical bit: `{register}_{its size}_{its index}_{bit in it}`, as qiskit-iqm writes."""
    return [
        f"{name}_{size}_{index}_{bit}"
        for index, (name, size) in enumerate(registers)
        for bit in range(size)
    ]


@frozen
class Keys:
    """Keys of a circuit's measurements, by their places among its instructions.

    `bits` is the key of each measurement that the counts show, to its classical bit. `hidden` are
    the keys of measurements whose bits are overwritten. `sources` are the places of the
    measurements that conditions read, by the places of their `cc_r`.
    """

    by_place: Mapping[int, str]
    bits: Mapping[str, int]
    hidden: tuple[str, ...]
    sources: Mapping[int, int]


def keys_of(circuit: NativeCircuit) -> Keys:
    """How each measurement of a circuit is named.

    A server takes each key once. The last measurement into a bit has the key that qiskit-iqm gives
    it; an earlier one has that of a bit in a register which is not there.
    """
    latest: dict[int, int] = {}
    sources: dict[int, int] = {}
    overwritten: list[tuple[int, int]] = []
    for place, op in enumerate(circuit.ops):
        if op.name == "cc_r":
            sources[place] = latest[op.clbits[0]]
        elif op.name == "measure":
            (bit,) = op.clbits
            if bit in latest:
                overwritten.append((latest[bit], bit))
            latest[bit] = place
    names = measurement_keys(circuit.registers)
    shown = {place: names[bit] for bit, place in sorted(latest.items(), key=lambda one: one[1])}
    register = f"overwritten_{len(overwritten)}_{len(circuit.registers)}"
    hidden = {place: f"{register}_{i}" for i, (place, _) in enumerate(overwritten)}
    return Keys(
        by_place=shown | hidden,
        bits={names[bit]: bit for bit, _ in sorted(latest.items(), key=lambda one: one[1])},
        hidden=tuple(hidden.values()),
        sources=sources,
    )
