"""The calls that tell about quantum computers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime

from iqm_spec.emulator.calibration import calibration
from iqm_spec.emulator.calls import Context
from iqm_spec.emulator.clock import timestamp
from iqm_spec.emulator.machines import (
    Computer,
    calibration_set,
    dynamic_architecture,
    quality_metrics,
    stable_id,
    static_architecture,
)
from iqm_spec.emulator.messages import Answer, Ask, Rejected
from iqm_spec.emulator.options import LIMITS, Span
from iqm_spec.emulator.queueing import queue, spans
from iqm_spec.json_types import Json

STATION_CONTROL = "emulated"
"""The version of the machines' own software, which there is none of here."""
SLOT_PRICE_PER_SECOND = 0.25
"""Credits per second of a booked slot: a placeholder, as the pay-as-you-go price is."""


def _computers(context: Context, ask: Ask) -> Answer:
    found: list[Json] = [
        {
            "id": computer.id,
            "alias": computer.alias,
            "display_name": computer.display_name,
            "proxy_path": None,
            "station_control_version": STATION_CONTROL,
        }
        for computer in context.computers.values()
    ]
    return Answer(200, {"quantum_computers": found})


def _computer(context: Context, ask: Ask) -> Answer:
    computer = context.computer_of(ask)
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
        return Answer(200, {**common, "status": {"health": _health_of(context)}})
    return Answer(
        200,
        {
            **common,
            "operational_status": "online",
            "health": _health_of(context),
            "queue_length": _queue_length(context, computer),
            "pricing": {"payg_price_per_second": computer.price},
        },
    )


def _limits(context: Context, ask: Ask) -> Answer:
    context.computer_of(ask)
    found = _all_limits(context)
    del found["max_queued_jobs_per_user"]
    return Answer(200, found)


def _all_limits(context: Context) -> dict[str, Json]:
    """Limits as the API tells them: not of the payload's size, which it keeps to itself."""
    return {name: context.options.limit(name) for name in LIMITS if name != "max_payload_bytes"}


def _health(context: Context, ask: Ask) -> Answer:
    context.computer_of(ask)
    return Answer(200, _health_of(context))


def _health_of(context: Context) -> dict[str, Json]:
    return {"healthy": True, "updated_at": timestamp(time.time())}


def _queue(context: Context, ask: Ask) -> Answer:
    context.resonance_only()
    computer = context.computer_of(ask)
    start, end = _time_range(ask)
    windows = spans(context.state, context.options, context.options.windows, computer.alias)
    if computer.alias in context.options.timeslot_only:
        windows = []
    elif not windows:
        windows = [Span(computer.alias, start, end)]
    return Answer(
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


def _timeslots(context: Context, ask: Ask) -> Answer:
    context.resonance_only()
    computer = context.computer_of(ask)
    start, end = _time_range(ask)
    slots = spans(context.state, context.options, context.options.slots, computer.alias)
    booked: list[Json] = [
        _slot(computer, slot) for slot in slots if slot.start < end and slot.end > start
    ]
    return Answer(
        200,
        {
            "available_slots": [],
            "booked_slots": booked,
            "queue_length": _queue_length(context, computer, slots=True),
        },
    )


def _slot(computer: Computer, slot: Span) -> dict[str, Json]:
    return {
        "start": timestamp(slot.start),
        "end": timestamp(slot.end),
        "price": f"{SLOT_PRICE_PER_SECOND * (slot.end - slot.start):.2f}",
        "reference": str(stable_id("timeslot", computer.alias, slot.start)),
    }


def _static_architecture(context: Context, ask: Ask) -> Answer:
    computer = context.computer_of(ask)
    return Answer(200, [static_architecture(computer, context.dut_label(computer))])


def _architecture(context: Context, ask: Ask) -> Answer:
    computer = context.computer_of(ask)
    return Answer(200, dynamic_architecture(computer, _set_id(context, ask)))


def _calibration(context: Context, ask: Ask) -> Answer:
    computer = context.computer_of(ask)
    set_id, label = _set_id(context, ask), context.dut_label(computer)
    return Answer(200, calibration_set(computer, set_id, label))


def _metrics(context: Context, ask: Ask) -> Answer:
    computer = context.computer_of(ask)
    set_id, label = _set_id(context, ask), context.dut_label(computer)
    return Answer(200, quality_metrics(computer, set_id, label))


def _set_id(context: Context, ask: Ask) -> str:
    return calibration(context.state, context.computer_of(ask)).resolve(ask.path["set"])


def _queue_length(context: Context, computer: Computer, *, slots: bool = False) -> int:
    """Waiting jobs of the pay-as-you-go queue, or those that wait for the account's timeslots."""
    now = time.time()
    return sum(
        (place.starts is None or place.starts > now) and place.slot is slots
        for place in queue(context.state, computer, now)
    )


def _time_range(ask: Ask) -> tuple[float, float]:
    """The range asked for, in seconds since 1970; from now for a week unless it is given."""
    start = _moment(ask, "timerange_start", time.time())
    end = _moment(ask, "timerange_end", start + 7 * 86400)
    if end <= start:
        raise Rejected(400, "invalid_input", "timerange_end must lie after timerange_start")
    return start, end


def _moment(ask: Ask, name: str, default: float) -> float:
    text = ask.query.get(name)
    if text is None:
        return default
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise Rejected(
            400, "invalid_input", f"{name} must be a time as 2026-11-22T12:00Z"
        ) from error
    if when.tzinfo is None:
        raise Rejected(400, "invalid_input", f"{name} needs a time zone")
    return when.timestamp()


READS: Mapping[str, Callable[[Context, Ask], Answer]] = {
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
"""Calls that tell about computers."""
