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
    "server": lambda entry: entry.server_id,
}
"""The groups by which entries can be summed."""


@frozen
class Account:
    """The sums of entries with the same names. Credits follow from measured time, not from a bill.

    `credits` are what the entries count for: measured time, unless a job failed or was cancelled
    and counts otherwise, or was completed without a measured time. `measured_seconds` are of all
    jobs that ended, `predicted_seconds` of the jobs `compared`, which have both times; `inside`
    of them took a time within the predicted range.
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
    return sorted(entries(read_all_attempts(store), counting), key=lambda entry: entry.month)


def accounts(ledger: Iterable[Entry], groups: Sequence[str]) -> list[Account]:
    """Entries summed by some of `GROUPS`; emulated ones are never summed with real ones."""
    by_names: dict[Any, list[Entry]] = {}
    for entry in ledger:
        names = tuple((group, GROUPS[group](entry)) for group in groups)
        by_names.setdefault((entry.emulated, names), []).append(entry)
    return [
        _account(names, emulated, of_group)
        for (emulated, names), of_group in sorted(by_names.items(), key=lambda item: item[0])
    ]


def _account(
    names: tuple[tuple[str, str], ...], emulated: bool, of_group: Sequence[Entry]
) -> Account:
    open_ones = [entry for entry in of_group if entry.open]
    settled = [entry for entry in of_group if not entry.open]
    # a job that was paid twice took twice the time that was predicted
    compared = [
        (entry.predicted, entry.measured_seconds)
        for entry in settled
        if entry.predicted is not None
        and entry.measured_seconds is not None
        and entry.phase == "measured"
        and entry.ids == 1
    ]
    return Account(
        names=names,
        emulated=emulated,
        jobs=sum(entry.ids for entry in of_group),
        circuits=sum(entry.circuits * entry.ids for entry in of_group),
        executions=sum(entry.executions * entry.ids for entry in of_group),
        measured_seconds=sum(entry.measured_seconds or 0.0 for entry in settled),
        measured_credits=sum(entry.measured_credits or 0.0 for entry in settled),
        credits=sum(entry.credits for entry in settled),
        reserved=sum(entry.credits for entry in open_ones),
        open=len(open_ones),
        lost=sum(1 for entry in of_group if entry.phase in ("failed", "cancelled")),
        predicted_seconds=total(predicted for predicted, _ in compared),
        compared=len(compared),
        inside=sum(predicted.low <= seconds <= predicted.high for predicted, seconds in compared),
    )
