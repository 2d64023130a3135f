"""The ledger: what was spent, by experiment, machine, mode and month, from the folder alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import frozen

from iqm_spec.cost.ranges import Range, total
from iqm_spec.json_types import Json
from iqm_spec.stages.server.attempts import read_all_attempts
from iqm_spec.stages.server.budget import Counting, Entry, entries
from iqm_spec.store import Store

GROUPS: dict[str, Callable[[Entry], str]] = {
    "experiment": lambda entry: entry.experiment,
    "machine": lambda entry: entry.computer,
    "mode": lambda entry: entry.mode,
    "month": lambda entry: entry.month,
    "server": lambda entry: entry.realm,
}
"""What entries can be summed by."""


@frozen
class Account:
    """Entries with the same names, summed. Credits are those of measured time, not of a bill.

    `credits` are what the entries count for: those of measured time, but for jobs that failed or
    were cancelled and count otherwise, and for completed ones without a measured time.
    `measured_seconds` are of all jobs that have come to an end, `predicted_seconds` of those
    `compared`, which have both times; `inside` of them took one within the range predicted.
    """

    names: tuple[tuple[str, str], ...]
    emulated: bool
    jobs: int
    circuits: int
    executions: int
    measured_seconds: float
    measured_credits: float
    credits: float
    reserved: float
    open: int
    lost: int
    predicted_seconds: Range
    compared: int
    inside: int

    def to_json(self) -> dict[str, Json]:
        """As `ledger --json` gives it."""
        return {
            **dict(self.names),
            "emulated": self.emulated,
            "jobs": self.jobs,
            "circuits": self.circuits,
            "executions": self.executions,
            "measured_seconds": self.measured_seconds,
            "credits_measured": self.measured_credits,
            "credits_counted": self.credits,
            "credits_reserved": self.reserved,
            "jobs_at_server_or_unknown": self.open,
            "jobs_failed_or_cancelled": self.lost,
            "predicted_seconds": self.predicted_seconds.to_json(),
            "jobs_compared": self.compared,
            "jobs_within_range": self.inside,
        }


def read_entries(store: Store, counting: Counting) -> list[Entry]:
    """Every submission to a machine that the folder knows of, in order of time."""
    return sorted(entries(read_all_attempts(store), counting), key=lambda one: one.month)


def accounts(found: Iterable[Entry], groups: Sequence[str]) -> list[Account]:
    """Entries summed by some of `GROUPS`; emulated ones are never summed with real ones."""
    by_names: dict[Any, list[Entry]] = {}
    for entry in found:
        names = tuple((group, GROUPS[group](entry)) for group in groups)
        by_names.setdefault((entry.emulated, names), []).append(entry)
    return [
        _account(names, emulated, some)
        for (emulated, names), some in sorted(by_names.items(), key=lambda item: item[0])
    ]


def _account(names: tuple[tuple[str, str], ...], emulated: bool, some: Sequence[Entry]) -> Account:
    open_ones = [one for one in some if one.open]
    settled = [one for one in some if not one.open]
    # a job that was paid twice took twice the time that was predicted
    compared = [one for one in settled if _has_both_times(one)]
    return Account(
        names=names,
        emulated=emulated,
        jobs=sum(one.ids for one in some),
        circuits=sum(one.circuits * one.ids for one in some),
        executions=sum(one.executions * one.ids for one in some),
        measured_seconds=sum(one.measured_seconds or 0.0 for one in settled),
        measured_credits=sum(one.measured_credits or 0.0 for one in settled),
        credits=sum(one.credits for one in settled),
        reserved=sum(one.credits for one in open_ones),
        open=len(open_ones),
        lost=sum(1 for one in some if one.phase in ("failed", "cancelled")),
        predicted_seconds=total(one.predicted for one in compared if one.predicted),
        compared=len(compared),
        inside=sum(1 for one in compared if _inside(one)),
    )


def _has_both_times(entry: Entry) -> bool:
    known = entry.predicted is not None and entry.measured_seconds is not None
    return known and entry.phase == "measured" and entry.ids == 1


def _inside(entry: Entry) -> bool:
    predicted, seconds = entry.predicted, entry.measured_seconds
    return (
        predicted is not None and seconds is not None and predicted.low <= seconds <= predicted.high
    )
