"""What one quantum computer offers now: limits, price, health, queue, windows, timeslots.

Servers differ in which calls they have, and tokens in which they may make: what is not told is
None, with a note that says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from attrs import evolve, frozen

from iqm_spec.errors import IqmSpecError
from iqm_spec.server.advice import advice
from iqm_spec.server.fields import count_of, time_of, word_of
from iqm_spec.server.patience import Patience, read
from iqm_spec.server.transport import Connection, Parameters, segment

_OPTIONAL_SECONDS = 5.0
"""How long a read that can be done without is tried."""

_HIGHEST_PRICE = Decimal(10**9)
"""Credits; what is above is a mistake, and no sum of such prices can be stored."""
_LONGEST_PRICE = 40
"""Characters."""

_LIMITS = {
    "max_circuits": "max_circuits_per_job",
    "max_shots": "max_shots_per_circuit",
    "max_executions": "max_executions_per_job",
    "max_instructions": "max_instructions_per_circuit",
    "max_queued": "max_queued_jobs_per_user",
}


@frozen
class Slot:
    """A span of time; `price` in credits, None where it has none."""

    start: datetime
    end: datetime
    price: Decimal | None = None
    reference: str = ""


@frozen
class Offer:
    """What the server tells of one computer; None wherever it does not tell.

    `max_executions` is circuits times shots of a job, `max_instructions` of one circuit. `windows`
    are when the pay-as-you-go queue is served, `available` timeslots can be booked, `booked` are.
    """

    alias: str
    max_circuits: int | None = None
    max_shots: int | None = None
    max_executions: int | None = None
    max_instructions: int | None = None
    max_queued: int | None = None
    price_per_second: Decimal | None = None
    """Credits per second of the pay-as-you-go queue."""
    healthy: bool | None = None
    operational_status: str | None = None
    queue_length: int | None = None
    windows: tuple[Slot, ...] | None = None
    available: tuple[Slot, ...] | None = None
    booked: tuple[Slot, ...] | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_online(self) -> bool | None:
        """Whether it runs jobs now, by its operational status; None where that is not told."""
        status = self.operational_status
        return None if status is None else status.lower() == "online"


def read_offer(
    connection: Connection, alias: str, patience: Patience, span: timedelta = timedelta(days=7)
) -> Offer:
    """What `alias` offers from now until `span` has passed. Does not fail: see `Offer.notes`."""
    name = f"quantum-computers/{segment(alias)}"
    total = _OPTIONAL_SECONDS if patience.total is None else min(_OPTIONAL_SECONDS, patience.total)
    reader = _Reader(connection, evolve(patience, total=total))
    details = reader.ask(name, "details")
    limits = _mapping(details.get("limits")) or reader.ask(f"{name}/limits", "limits")
    health = _mapping(details.get("health")) or _mapping(
        _mapping(details.get("status")).get("health")
    )
    if _flag(health.get("healthy")) is None:
        health = reader.ask(f"{name}/health", "health")
    now = datetime.now(UTC)
    times = {"timerange_start": _text(now), "timerange_end": _text(now + span)}
    queue = reader.ask(f"{name}/queue-availability", "queue", times)
    slots = reader.ask(f"{name}/timeslots", "timeslots", times)
    # that of timeslots counts the account's own jobs, not those of the pay-as-you-go queue
    lengths = (told.get("queue_length") for told in (queue, details))
    return Offer(
        alias=alias,
        **{ours: count_of(limits.get(theirs)) for ours, theirs in _LIMITS.items()},
        price_per_second=_price(_mapping(details.get("pricing")).get("payg_price_per_second")),
        healthy=_flag(health.get("healthy")),
        operational_status=word_of(details.get("operational_status")),
        queue_length=next((n for n in map(count_of, lengths) if n is not None), None),
        windows=_slots(queue.get("available")),
        available=_slots(slots.get("available_slots")),
        booked=_slots(slots.get("booked_slots")),
        notes=tuple(reader.notes),
    )


class _Reader:
    """Asks for what can be done without, and notes what could not be had."""

    def __init__(self, connection: Connection, patience: Patience) -> None:
        self.notes: list[str] = []
        self._connection = connection
        self._patience = patience

    def ask(self, path: str, what: str, params: Parameters | None = None) -> Mapping[str, Any]:
        """The mapping at `path`, empty where there is none."""
        try:
            reply = read(self._connection, path, params, self._patience)
        except IqmSpecError as error:
            self.notes.append(f"{what}: {error.message}")
            return {}
        if not reply.ok:
            is_absent = reply.status == 404  # older servers lack calls, those on premises slots
            why = "the server does not tell" if is_absent else advice(reply)[0]
            self.notes.append(f"{what}: {why}")
            return {}
        found = reply.json()
        if not isinstance(found, dict):
            self.notes.append(f"{what}: the server's answer makes no sense")
            return {}
        return found


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _price(value: Any) -> Decimal | None:
    """A price, which the server writes as text; never by way of a float's binary digits."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if len(str(value)) > _LONGEST_PRICE:
        return None
    try:
        price = Decimal(str(value))
    except InvalidOperation:
        return None
    return price if price.is_finite() and 0 <= price <= _HIGHEST_PRICE else None


def _slots(value: Any) -> tuple[Slot, ...] | None:
    """Spans in order of time; those that cannot be read are left out."""
    if not isinstance(value, list):
        return None
    found = [slot for item in value if (slot := _slot(_mapping(item))) is not None]
    return tuple(sorted(found, key=lambda slot: slot.start))


def _slot(item: Mapping[str, Any]) -> Slot | None:
    start, end = time_of(item.get("start")), time_of(item.get("end"))
    if start is None or end is None or end <= start:
        return None
    return Slot(start, end, _price(item.get("price")), word_of(item.get("reference")) or "")


def _text(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
