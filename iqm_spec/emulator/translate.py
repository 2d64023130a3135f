"""Circuits of a job's payload as native circuits of this project, ready to be simulated."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from iqm_spec.emulator.messages import Rejected
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.server_api.payload import in_current_form
from iqm_spec.targets import Architecture


@frozen
class Measured:
    """A circuit with the keys of its measurements: one classical register each, in this order.

    Bit i of a key's register is the i-th qubit that the measurement names.
    """

    circuit: NativeCircuit
    keys: tuple[str, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many qubits each key measures."""
        return tuple(size for _, size in self.circuit.registers)


def translate(payload: bytes, architecture: Architecture) -> list[Measured]:
    """Every circuit of an accepted payload; `Rejected` for what cannot be simulated here."""
    data: Any = in_current_form(json.loads(payload))
    mapping = _mapping(data.get("qubit_mapping"))
    return [_circuit(item, mapping, architecture) for item in data["circuits"]]


def _mapping(given: Any) -> Mapping[str, str]:
    """Logical to physical names, from either form that iqm-client has sent."""
    if isinstance(given, list):
        return {item["logical_name"]: item["physical_name"] for item in given}
    return given or {}


def _circuit(data: Any, mapping: Mapping[str, str], architecture: Architecture) -> Measured:
    loci = [
        tuple(mapping.get(name, name) for name in item["locus"]) for item in data["instructions"]
    ]
    used = {name for locus in loci for name in locus}
    components = tuple(name for name in architecture.components if name in used)
    index = {name: i for i, name in enumerate(components)}
    measures = [
        (item, locus)
        for item, locus in zip(data["instructions"], loci, strict=True)
        if item["name"] == "measure"
    ]
    offsets: dict[str, int] = {}
    registers: list[tuple[str, int]] = []
    for item, locus in measures:
        offsets[item["args"]["key"]] = sum(size for _, size in registers)
        registers.append((f"c{len(registers)}", len(locus)))
    ops: list[Op] = []
    feedback: dict[tuple[str, str], int] = {}
    for item, locus in zip(data["instructions"], loci, strict=True):
        args = item.get("args") or {}
        bits: tuple[int, ...] = ()
        if item["name"] == "measure" and args.get("feedback_key"):
            first = offsets[args["key"]]
            feedback |= {(args["feedback_key"], q): first + i for i, q in enumerate(locus)}
        elif item["name"] == "cc_prx":
            source = mapping.get(args["feedback_qubit"], args["feedback_qubit"])
            bits = (_fed_back(args["feedback_key"], source, feedback),)
        ops += _ops(item, tuple(index[name] for name in locus), offsets, bits)
    return Measured(NativeCircuit(components, tuple(registers), tuple(ops)), tuple(offsets))


def _fed_back(key: str, qubit: str, feedback: Mapping[tuple[str, str], int]) -> int:
    """The classical bit that a conditional gate reads."""
    if (key, qubit) not in feedback:
        message = f"cc_prx needs an earlier measure of {qubit} with the feedback_key {key}"
        raise Rejected(400, "invalid_job_payload", message)
    return feedback[key, qubit]


def _ops(
    item: Any, qubits: Sequence[int], offsets: Mapping[str, int], bits: tuple[int, ...]
) -> Iterator[Op]:
    args = item.get("args") or {}
    match item["name"]:
        case "cc_prx":
            yield Op("cc_r", tuple(qubits), (float(args["angle"]), float(args["phase"])), bits)
        case "reset":
            for qubit in qubits:
                yield Op("reset", (qubit,))
        case "prx":
            yield Op("r", tuple(qubits), (float(args["angle"]), float(args["phase"])))
        case "cz" | "move" | "barrier" as name:
            yield Op(name, tuple(qubits))
        case "measure":
            first = offsets[args["key"]]
            for bit, qubit in enumerate(qubits):
                yield Op("measure", (qubit,), (), (first + bit,))
        case "delay":
            for qubit in qubits:
                yield Op("delay", (qubit,), (float(args["duration"]),))
        case name:
            raise Rejected(
                400, "invalid_job_payload", f"the emulator cannot simulate the instruction {name!r}"
            )
