"""What the server checks before it accepts a job, with iqm-client's own models and validators."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.emulator.calibration import Calibration
from iqm_spec.emulator.machines import Computer, dynamic_architecture
from iqm_spec.emulator.messages import Rejected
from iqm_spec.emulator.options import Options
from iqm_spec.emulator.translate import Measured, translate
from iqm_spec.json_types import Json
from iqm_spec.server.payload import ForeignPayload, in_todays_form

if TYPE_CHECKING:
    from iqm_spec.iqm_client import CircuitJobDefinition, DynamicQuantumArchitecture

_INVALID = "Job payload is not valid"
"""How IQM's servers begin such a message, which IQM's own tests look for (QDMI-on-IQM)."""

TAG_LENGTH = 50
"""Characters that a job's tag may have."""


@frozen
class Submission:
    """A payload that is sound: its circuits and what is needed to run them."""

    circuits: Sequence[Measured]
    shots: int
    calibration_set_id: str
    heralding: bool
    max_duration_over_t2: float


def checked(body: bytes, tag: str | None, calibration: Calibration, options: Options) -> Submission:
    """The submission in `body`; `Rejected` as the API does for the first thing that is wrong."""
    if len(body) > options.limit("max_payload_bytes"):
        raise Rejected(
            413, "request_payload_too_large", f"the payload of {len(body)} bytes is too large"
        )
    if tag is not None and len(tag) > TAG_LENGTH:
        raise Rejected(422, "validation_error", f"a tag has at most {TAG_LENGTH} characters")
    request = _parsed(_json(body))
    _within_limits(request, options)
    set_id = calibration.resolve(_text(request.calibration_set_id))
    _on_architecture(request, calibration.computer, set_id)
    circuits = translate(body, calibration.computer.architecture)
    return Submission(
        circuits=circuits,
        shots=request.shots,
        calibration_set_id=set_id,
        heralding=str(request.heralding_mode) == "zeros",
        max_duration_over_t2=request.max_circuit_duration_over_t2 or 0.0,
    )


def warm_up() -> None:
    """Import what checking needs, so that the first job does not wait seconds for it."""
    from iqm_spec.iqm_client import load

    load()


def _json(body: bytes) -> Any:
    """The body in today's form, whichever form its client wrote."""
    try:
        data = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Rejected(400, "invalid_input", f"{_INVALID}: the body is no JSON") from error
    if not isinstance(data, dict):
        raise Rejected(400, "invalid_input", f"{_INVALID}: the body is no JSON object")
    try:
        return in_todays_form(data)
    except ForeignPayload as error:
        raise _unsound(str(error)) from error


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def _parsed(payload: Any) -> CircuitJobDefinition:
    from pydantic import ValidationError

    from iqm_spec.iqm_client import CircuitJobDefinition

    try:
        with warnings.catch_warnings():
            # the model tries iqm-client's own obsolete circuits too, and warns of them
            warnings.simplefilter("ignore", DeprecationWarning)
            return CircuitJobDefinition.model_validate_json(json.dumps(payload))
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_input=False)[:10]
        details: list[Json] = [
            {"where": ".".join(map(str, item["loc"])), "what": item["msg"]} for item in mistakes
        ]
        where, what = ".".join(map(str, mistakes[0]["loc"])), mistakes[0]["msg"]
        message = f"{_INVALID}: {where}: {what}"
        raise Rejected(422, "validation_error", message, details=details) from error
    except Exception as error:
        raise Rejected(422, "validation_error", f"{_INVALID}: {error}") from error


def _within_limits(request: CircuitJobDefinition, options: Options) -> None:
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


def _on_architecture(request: CircuitJobDefinition, computer: Computer, set_id: str) -> None:
    from iqm_spec.iqm_client import (
        CircuitCompilationOptions,
        IQMError,
        validate_circuit,
        validate_circuit_instructions,
        validate_qubit_mapping,
    )

    architecture = _model(computer, set_id)
    try:
        CircuitCompilationOptions(
            move_gate_validation=request.move_gate_validation,
            move_gate_frame_tracking=request.move_gate_frame_tracking,
        )
        for index, circuit in enumerate(request.circuits):
            _one(index, circuit, validate_circuit)
        validate_qubit_mapping(architecture, request.circuits, request.qubit_mapping)
        validate_circuit_instructions(
            architecture,
            request.circuits,
            request.qubit_mapping,
            validate_moves=request.move_gate_validation,
        )
    except (IQMError, ValueError, KeyError) as error:
        raise _unsound(str(error)) from error


def _one(index: int, circuit: Any, validate: Any) -> None:
    """What is checked of a circuit by itself."""
    if isinstance(circuit, str):
        raise _unsound(f"circuit {index} is QIR, which the emulator does not run")
    if not hasattr(circuit, "all_locus_components"):  # iqm-client's obsolete form takes anything
        raise _unsound(f"circuit {index} has an instruction without a `locus`")
    try:
        validate(circuit)
    except ValueError as error:
        raise _unsound(f"circuit {index}: {error}") from error
    if not any(item.name == "measure" for item in circuit.instructions):
        raise _unsound(f"circuit {index}: Circuit contains no measurements.")


@cache
def _model(computer: Computer, set_id: str) -> DynamicQuantumArchitecture:
    from iqm_spec.iqm_client import DynamicQuantumArchitecture

    return DynamicQuantumArchitecture.model_validate(dynamic_architecture(computer, set_id))


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _unsound(message: str) -> Rejected:
    return Rejected(400, "invalid_job_payload", f"{_INVALID}: {message}")
