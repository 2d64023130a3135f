"""What every call of the API is given besides its request."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from attrs import frozen

from iqm_spec.emulator.clock import timestamp
from iqm_spec.emulator.computers import (
    EmulatedComputer,
    calibration,
    calibration_set,
    couplings,
    dynamic_architecture,
    quality_metrics,
    stable_id,
    static_architecture,
)
from iqm_spec.emulator.deviation import Deviation
from iqm_spec.emulator.jobs import queue, spans
from iqm_spec.emulator.messages import ApiError, ApiRequest, ApiResponse
from iqm_spec.emulator.options import LIMITS, Options, TimeWindow
from iqm_spec.emulator.simulator import Simulator
from iqm_spec.emulator.state import State
from iqm_spec.json_types import Json
from iqm_spec.version import __version__


@frozen
class Context:
    """The server's options, memory, simulator and computers."""

    options: Options
    state: State
    simulator: Simulator
    computers: Mapping[str, EmulatedComputer]

    def computer(self, name: str | None) -> EmulatedComputer:
        """The computer of this alias or id; 404 where there is none."""
        for computer in self.computers.values():
            if name in (computer.alias, computer.id):
                return computer
        raise ApiError(
            404, "quantum_computer_not_found", f"there is no quantum computer {str(name)[:64]}"
        )

    def computer_of(self, request: ApiRequest) -> EmulatedComputer:
        """The computer in the request's address."""
        return self.computer(request.alias)

    def dut_label(self, computer: EmulatedComputer) -> str:
        """The label of a computer's chip."""
        return self.options.dut_labels.get(computer.alias, computer.dut_label)

    def resonance_only(self) -> None:
        """404 on premises, where the call does not exist."""
        if self.options.on_premises:
            raise ApiError(404, "not_found", "this server has no such call")


STATION_CONTROL = "emulated"
"""The version of the machines' own software, which there is none of here."""
SLOT_PRICE_PER_SECOND = 0.25
"""Credits per second of a booked slot: a placeholder, as the pay-as-you-go price is."""


def _computers(context: Context, request: ApiRequest) -> ApiResponse:
    listed: list[Json] = [
        {
            "id": computer.id,
            "alias": computer.alias,
            "display_name": computer.display_name,
            "proxy_path": None,
            "station_control_version": STATION_CONTROL,
        }
        for computer in context.computers.values()
    ]
    return ApiResponse(200, {"quantum_computers": listed})


def _computer(context: Context, request: ApiRequest) -> ApiResponse:
    computer = context.computer_of(request)
    common: dict[str, Json] = {
        "id": computer.id,
        "alias": computer.alias,
        "display_name": computer.display_name,
        "description": "Emulated on this machine: nothing here is a real quantum computer",
        "backend_type": "qpu",
        "number_of_qubits": computer.architecture.num_qubits,
        "limits": _all_limits(context),
    }
    if context.options.on_premises:
        return ApiResponse(200, {**common, "status": {"health": _health_of(context)}})
    return ApiResponse(
        200,
        {
            **common,
            "operational_status": "online",
            "health": _health_of(context),
            "queue_length": _queue_length(context, computer),
            "pricing": {"payg_price_per_second": computer.price},
        },
    )


def _limits(context: Context, request: ApiRequest) -> ApiResponse:
    context.computer_of(request)
    limits = _all_limits(context)
    del limits["max_queued_jobs_per_user"]
    return ApiResponse(200, limits)


def _all_limits(context: Context) -> dict[str, Json]:
    """Limits as the API lists them; the payload's size limit is not among them."""
    return {name: context.options.limit(name) for name in LIMITS if name != "max_payload_bytes"}


def _health(context: Context, request: ApiRequest) -> ApiResponse:
    context.computer_of(request)
    return ApiResponse(200, _health_of(context))


def _health_of(context: Context) -> dict[str, Json]:
    return {"healthy": True, "updated_at": timestamp(time.time())}


def _queue(context: Context, request: ApiRequest) -> ApiResponse:
    context.resonance_only()
    computer = context.computer_of(request)
    start, end = _time_range(request)
    windows = spans(context.state, context.options, context.options.windows, computer.alias)
    if computer.alias in context.options.timeslot_only:
        windows = []
    elif not windows:
        windows = [TimeWindow(computer.alias, start, end)]
    return ApiResponse(
        200,
        {
            "queue_length": _queue_length(context, computer),
            "available": [
                {"start": timestamp(max(start, w.start)), "end": timestamp(min(end, w.end))}
                for w in windows
                if w.start < end and w.end > start
            ],
        },
    )


def _timeslots(context: Context, request: ApiRequest) -> ApiResponse:
    context.resonance_only()
    computer = context.computer_of(request)
    start, end = _time_range(request)
    slots = spans(context.state, context.options, context.options.slots, computer.alias)
    booked: list[Json] = [
        {
            "start": timestamp(slot.start),
            "end": timestamp(slot.end),
            "price": f"{SLOT_PRICE_PER_SECOND * (slot.end - slot.start):.2f}",
            "reference": str(stable_id("timeslot", computer.alias, slot.start)),
        }
        for slot in slots
        if slot.start < end and slot.end > start
    ]
    return ApiResponse(
        200,
        {
            "available_slots": [],
            "booked_slots": booked,
            "queue_length": _queue_length(context, computer, slots=True),
        },
    )


def _static_architecture(context: Context, request: ApiRequest) -> ApiResponse:
    computer = context.computer_of(request)
    return ApiResponse(200, [static_architecture(computer, context.dut_label(computer))])


def _architecture(context: Context, request: ApiRequest) -> ApiResponse:
    computer = context.computer_of(request)
    return ApiResponse(200, dynamic_architecture(computer, _set_id(context, request)))


def _calibration(context: Context, request: ApiRequest) -> ApiResponse:
    return ApiResponse(200, calibration_set(*_set(context, request)))


def _metrics(context: Context, request: ApiRequest) -> ApiResponse:
    return ApiResponse(200, quality_metrics(*_set(context, request)))


def _set(context: Context, request: ApiRequest) -> tuple[EmulatedComputer, str, str, Deviation]:
    computer, set_id = context.computer_of(request), _set_id(context, request)
    deviation = calibration(context.state, computer).deviation(set_id)
    return computer, set_id, context.dut_label(computer), deviation


def _set_id(context: Context, request: ApiRequest) -> str:
    return calibration(context.state, context.computer_of(request)).resolve(request.path["set"])


def _queue_length(context: Context, computer: EmulatedComputer, *, slots: bool = False) -> int:
    """Waiting jobs of the pay-as-you-go queue, or those that wait for the account's timeslots."""
    now = time.time()
    return sum(
        (place.starts is None or place.starts > now) and place.slot is slots
        for place in queue(context.state, computer, now)
    )


def _time_range(request: ApiRequest) -> tuple[float, float]:
    """The range asked for, in seconds since 1970; from now for a week unless it is given."""
    start = _moment(request, "timerange_start", time.time())
    end = _moment(request, "timerange_end", start + 7 * 86400)
    if end <= start:
        raise ApiError(400, "invalid_input", "timerange_end must lie after timerange_start")
    return start, end


def _moment(request: ApiRequest, name: str, default: float) -> float:
    text = request.query.get(name)
    if text is None:
        return default
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise ApiError(
            400, "invalid_input", f"{name} must be a time as 2026-11-22T12:00Z"
        ) from error
    if when.tzinfo is None:
        raise ApiError(400, "invalid_input", f"{name} needs a time zone")
    return when.timestamp()


READS: Mapping[str, Callable[[Context, ApiRequest], ApiResponse]] = {
    "computers": _computers,
    "computer": _computer,
    "limits": _limits,
    "health": _health,
    "queue": _queue,
    "timeslots": _timeslots,
    "static-architecture": _static_architecture,
    "architecture": _architecture,
    "calibration": _calibration,
    "metrics": _metrics,
}
"""Calls that describe quantum computers."""


TOKEN_LIFE = timedelta(days=365)
"""How long an emulated token is valid, from the emulator's first start on."""
SUFFIX = 4
"""Characters of a token that the list of tokens shows, of tokens with at least twice as many."""
_PROBE_LINE = "PL-1"
_SAMPLING_RATE, _GRANULARITY = 2e9, 8


def _about(context: Context, request: ApiRequest) -> ApiResponse:
    versions = {"iqm-server": "emulator", "iqm-spec": __version__}
    return ApiResponse(200, {"version": f"iqm-spec {__version__}", "software_versions": versions})


def _about_station(context: Context, request: ApiRequest) -> ApiResponse:
    context.computer_of(request)
    versions = {"iqm-station-control": "emulator", "iqm-spec": __version__}
    return ApiResponse(200, {"version": f"iqm-spec {__version__}", "software_versions": versions})


def _duts(context: Context, request: ApiRequest) -> ApiResponse:
    computer = context.computer_of(request)
    return ApiResponse(200, [{"label": context.dut_label(computer), "dut_type": "chip"}])


def _chip_design(context: Context, request: ApiRequest) -> ApiResponse:
    computer = context.computer_of(request)
    record: dict[str, Json] = {
        "mask_set_name": "EMULATED",
        "variant": computer.machine,
        "content": {"components": chip_components(computer)},
        "cheddar": {"chip_label": context.dut_label(computer)},
    }
    return ApiResponse(200, [record])


def chip_components(computer: EmulatedComputer) -> Mapping[str, Json]:
    """Qubits, resonators and the couplers between them; all qubits are on one probe line."""
    arch = computer.architecture
    couplers = {f"TC-{'-'.join(pair)}": pair for pair in couplings(arch)}

    def part(name: str, more: Sequence[str] = ()) -> Json:
        ends = [coupler for coupler, pair in couplers.items() if name in pair]
        return {"name": name, "connections": [*more, *ends]}

    return {
        "qubit": [part(name, (_PROBE_LINE,)) for name in arch.qubits],
        "computational_resonator": [part(name) for name in arch.resonators],
        "tunable_coupler": [
            {"name": coupler, "connections": list(pair)} for coupler, pair in couplers.items()
        ],
        "probe_line": [{"name": _PROBE_LINE, "connections": list(arch.qubits)}],
        "launcher": [],
    }


def _channels(context: Context, request: ApiRequest) -> ApiResponse:
    """Every qubit's drive, from which iqm-client reads who can react to whose measurement."""
    from iqm_spec.iqm_client import AWGProperties, serialize_channel_properties

    drives = {
        f"{qubit}__drive.awg": AWGProperties(
            sampling_rate=_SAMPLING_RATE,
            instruction_duration_granularity=_GRANULARITY,
            instruction_duration_min=_GRANULARITY,
            compatible_instructions=(),
            fast_feedback_sources=[f"{_PROBE_LINE}__readout"],
            local_oscillator=False,
            mixer_correction=False,
        )
        for qubit in context.computer_of(request).architecture.qubits
    }
    return _protobuf(serialize_channel_properties(drives).SerializeToString())


def _settings(context: Context, request: ApiRequest) -> ApiResponse:
    """An empty tree: nothing here has instruments."""
    from iqm_spec.iqm_client import SettingNode

    context.computer_of(request)
    return _protobuf(SettingNode(name="root").SerializeToString())


def _protobuf(body: bytes) -> ApiResponse:
    return ApiResponse(200, body, {"content-type": "application/protobuf"})


def _tokens(context: Context, request: ApiRequest) -> ApiResponse:
    """The token that asks is the only one there is."""
    context.resonance_only()
    token = (request.authorization or "").partition(" ")[2].strip()
    born = datetime.fromtimestamp(context.state.born, UTC)
    token_entry: dict[str, Json] = {
        "id": str(stable_id("token", born.isoformat())),
        "created_at": timestamp(born.timestamp()),
        "activated_at": timestamp(born.timestamp()),
        "expires_at": timestamp((born + TOKEN_LIFE).timestamp()),
        "last_characters": token[-SUFFIX:] if len(token) >= 2 * SUFFIX else "",
    }
    return ApiResponse(200, {"tokens": [token_entry]})


def _no_artifact(context: Context, request: ApiRequest) -> ApiResponse:
    computer = context.computer_of(request)
    kind = request.path["artifact"][:64]
    raise ApiError(404, "artifact_not_found", f"{computer.alias} has no artifact {kind}")


ARTIFACTS: Mapping[str, Callable[[Context, ApiRequest], ApiResponse]] = {
    "about": _about,
    "about-station": _about_station,
    "duts": _duts,
    "chip-design": _chip_design,
    "channels": _channels,
    "settings": _settings,
    "tokens": _tokens,
    "artifact": _no_artifact,
}
"""Calls that describe the server, its chips and the token."""
