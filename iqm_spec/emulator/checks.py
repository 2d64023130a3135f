"""What the server checks before it accepts a job, with iqm-client's own models and validators."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.emulator.computers import Calibration, EmulatedComputer, dynamic_architecture
from iqm_spec.emulator.deviation import Deviation
from iqm_spec.emulator.messages import ApiError
from iqm_spec.emulator.options import Options
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.server_api.payload import ForeignPayload, in_current_form, validated
from iqm_spec.server_api.reply import strict_json
from iqm_spec.targets import Architecture

if TYPE_CHECKING:
    from iqm_spec.iqm_client import DynamicQuantumArchitecture, PostJobsRequest


_INVALID = "Job payload is not valid"
"""How IQM's servers begin such a message, which IQM's own tests look for (QDMI-on-IQM)."""

LONGEST_DELAY_S = 1.0
"""Of one delay: thousands of times what any qubit remembers. A guess: nothing is published."""
TAG_LENGTH = 50
"""Characters that a job's tag may have."""


@frozen
class Submission:
    """A payload that is sound: its circuits and what is needed to run them."""

    circuits: Sequence[MeasuredCircuit]
    shots: int
    calibration_set_id: str
    heralding: bool
    max_duration_over_t2: float
    deviation: Deviation


def checked(body: bytes, tag: str | None, calibration: Calibration, options: Options) -> Submission:
    """The submission in `body`; `ApiError` as the API does for the first thing that is wrong."""
    if len(body) > options.limit("max_payload_bytes"):
        raise ApiError(
            413, "request_payload_too_large", f"the payload of {len(body)} bytes is too large"
        )
    if tag is not None and len(tag) > TAG_LENGTH:
        raise ApiError(422, "validation_error", f"a tag has at most {TAG_LENGTH} characters")
    payload = _json(body)
    request = _parsed(payload)
    _within_limits(request, options)
    named_set = request.calibration_set_id
    set_id = calibration.resolve(None if named_set is None else str(named_set))
    _on_architecture(request, calibration.computer, set_id)
    circuits = _circuits(payload, calibration.computer.architecture)
    return Submission(
        circuits=circuits,
        shots=request.shots,
        calibration_set_id=set_id,
        heralding=str(request.heralding_mode) == "zeros",
        max_duration_over_t2=request.max_circuit_duration_over_t2 or 0.0,
        deviation=calibration.deviation(set_id),
    )


def warm_up() -> None:
    """Import what checking needs, so that the first job does not wait seconds for it."""
    from iqm_spec.iqm_client import load

    load()


def _json(body: bytes) -> Any:
    """The body in today's form, whichever form its client wrote."""
    try:
        data = strict_json(body)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "invalid_input", f"{_INVALID}: the body is no JSON") from error
    if not isinstance(data, dict):
        raise ApiError(400, "invalid_input", f"{_INVALID}: the body is no JSON object")
    try:
        payload = in_current_form(data)
    except ForeignPayload as error:
        raise _unsound(str(error)) from error
    _require_places(payload)
    return payload


def _require_places(payload: Any) -> None:
    """What iqm-client's models would say in the words of their unions, in plain ones."""
    circuits = payload.get("circuits")
    for number, circuit in enumerate(circuits if isinstance(circuits, list) else ()):
        listed = circuit.get("instructions") if isinstance(circuit, dict) else None
        for place, item in enumerate(listed if isinstance(listed, list) else ()):
            locus = item.get("locus") if isinstance(item, dict) else None
            if not isinstance(locus, list) or not all(isinstance(name, str) for name in locus):
                where = f"circuit {number}, instruction {place}"
                message = f"{_INVALID}: {where}: `locus` must be a list of names"
                raise ApiError(422, "validation_error", message)
    mapping = payload.get("qubit_mapping")
    if mapping is not None and not isinstance(mapping, dict | list):
        message = f"{_INVALID}: `qubit_mapping` must be a list of pairs, or null"
        raise ApiError(422, "validation_error", message)


def _parsed(payload: Any) -> PostJobsRequest:
    from pydantic import ValidationError

    try:
        return validated(payload)
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_input=False)[:10]
        details: list[Json] = [
            {"where": ".".join(map(str, item["loc"])), "what": item["msg"]} for item in mistakes
        ]
        where, what = ".".join(map(str, mistakes[0]["loc"])), mistakes[0]["msg"]
        message = f"{_INVALID}: {where}: {what}"
        raise ApiError(422, "validation_error", message, details=details) from error
    except Exception as error:
        message = f"{_INVALID}: it is no PostJobsRequest of iqm-client ({error})"
        raise ApiError(422, "validation_error", message) from error


def _within_limits(request: PostJobsRequest, options: Options) -> None:
    circuits = request.circuits
    sizes = {
        "max_circuits_per_job": len(circuits),
        "max_shots_per_circuit": request.shots,
        "max_executions_per_job": len(circuits) * request.shots,
        "max_instructions_per_circuit": max(
            (len(getattr(circuit, "instructions", ())) for circuit in circuits), default=0
        ),
    }
    for name, size in sizes.items():
        if size > options.limit(name):
            raise _unsound(f"{name} is {options.limit(name)}, and the job has {size}")
    if not circuits:
        raise _unsound("the job has no circuits")


def _on_architecture(request: PostJobsRequest, computer: EmulatedComputer, set_id: str) -> None:
    from iqm_spec.iqm_client import (
        CircuitCompilationOptions,
        IQMError,
        validate_circuit,
        validate_circuit_instructions,
        validate_qubit_mapping,
    )

    architecture = _model(computer, set_id)
    if (request.max_circuit_duration_over_t2 or 0.0) < 0:
        raise _unsound("`max_circuit_duration_over_t2` must not be below 0")
    try:
        CircuitCompilationOptions(
            move_gate_validation=request.move_gate_validation,
            move_gate_frame_tracking=request.move_gate_frame_tracking,
        )
        for index, circuit in enumerate(request.circuits):
            _check_circuit(index, circuit, computer, validate_circuit)
        validate_qubit_mapping(architecture, request.circuits, request.qubit_mapping)
        validate_circuit_instructions(
            architecture,
            request.circuits,
            request.qubit_mapping,
            validate_moves=request.move_gate_validation,
        )
    except (IQMError, ValueError, KeyError) as error:
        raise _unsound(str(error)) from error


def _check_circuit(index: int, circuit: Any, computer: EmulatedComputer, validate: Any) -> None:
    """What is checked of a circuit by itself."""
    if isinstance(circuit, str):
        raise _unsound(f"circuit {index} is QIR, which the emulator does not run")
    if not hasattr(circuit, "all_locus_components"):  # iqm-client's obsolete form takes anything
        raise _unsound(f"circuit {index} has an instruction without a `locus`")
    try:
        validate(circuit)
    except ValueError as error:
        raise _unsound(f"circuit {index}: {error}") from error
    gates = computer.architecture.gates
    for item in circuit.instructions:
        if item.name == "reset" and not (gates.get("reset") or gates.get("cc_prx")):
            raise _unsound(f"circuit {index}: {computer.alias} has no `reset`")
        if item.name == "delay" and not 0 <= item.args["duration"] <= LONGEST_DELAY_S:
            most = f"between 0 and {LONGEST_DELAY_S:g} s"
            raise _unsound(f"circuit {index}: a delay must be {most}, got {item.args['duration']}")
    if not any(item.name == "measure" for item in circuit.instructions):
        raise _unsound(f"circuit {index}: Circuit contains no measurements.")


@cache
def _model(computer: EmulatedComputer, set_id: str) -> DynamicQuantumArchitecture:
    from iqm_spec.iqm_client import DynamicQuantumArchitecture

    return DynamicQuantumArchitecture.model_validate(dynamic_architecture(computer, set_id))


def _unsound(message: str) -> ApiError:
    return ApiError(400, "invalid_job_payload", f"{_INVALID}: {message}")


@frozen
class MeasuredCircuit:
    """A circuit with the keys of its measurements: one classical register each, in this order.

    Bit i of a key's register is the i-th qubit that the measurement names.
    """

    circuit: NativeCircuit
    keys: tuple[str, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many qubits each key measures."""
        return tuple(size for _, size in self.circuit.registers)


def translate(payload: bytes, architecture: Architecture) -> list[MeasuredCircuit]:
    """Every circuit of an accepted payload; `ApiError` for what cannot be simulated here."""
    data: Any = in_current_form(json.loads(payload))
    return _circuits(data, architecture)


def _circuits(payload: Mapping[str, Any], architecture: Architecture) -> list[MeasuredCircuit]:
    mapping: Any = payload.get("qubit_mapping") or {}
    if isinstance(mapping, list):  # clients send either form
        mapping = {item["logical_name"]: item["physical_name"] for item in mapping}
    return [_circuit(item, mapping, architecture) for item in payload["circuits"]]


def _circuit(data: Any, mapping: Mapping[str, str], architecture: Architecture) -> MeasuredCircuit:
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
            key = args["feedback_key"]
            if (key, source) not in feedback:
                message = f"cc_prx needs an earlier measure of {source} with the feedback_key {key}"
                raise ApiError(400, "invalid_job_payload", message)
            bits = (feedback[key, source],)
        ops += _ops(item, tuple(index[name] for name in locus), offsets, bits)
    return MeasuredCircuit(NativeCircuit(components, tuple(registers), tuple(ops)), tuple(offsets))


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
            raise ApiError(
                400, "invalid_job_payload", f"the emulator cannot simulate the instruction {name!r}"
            )
