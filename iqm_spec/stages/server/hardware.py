"""The hardware stage: jobs on a quantum computer, which cost credits or the time of a timeslot.

Before anything is submitted: the mock has accepted every circuit, the jobs fit in what is booked,
the budget covers them at their upper estimate, and the user agrees.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from iqm_spec.cost.estimate import JobCost, Tariff, total_credits
from iqm_spec.cost.ranges import Range, amount
from iqm_spec.cost.timeslots import MARGIN, jobs_fitting_timeslot, timeslot_for_jobs
from iqm_spec.errors import IqmSpecError, Refused
from iqm_spec.model import Mode, StageName
from iqm_spec.plan.circuits import circuits_of
from iqm_spec.plan.label import count, label
from iqm_spec.plan.plan import Plan
from iqm_spec.plan.prediction import todays_placement
from iqm_spec.stages.interface import PreviewContext, RunInputs, RunOptions
from iqm_spec.stages.rows import Row
from iqm_spec.stages.server.attempts import (
    Phase,
    read_work,
    require_journals,
    settled_work,
)
from iqm_spec.stages.server.batch import Batch, BatchPart, job_to_price
from iqm_spec.stages.server.budget import BudgetGuard, Counting, Limits, bill_of
from iqm_spec.stages.server.judge import paid_twice
from iqm_spec.stages.server.mock import untestable, waived_by
from iqm_spec.stages.server.preview import ServerPreview, preview_paid
from iqm_spec.stages.server.rows import derive, server_rows
from iqm_spec.stages.server.server_info import EMULATOR, machine_notes
from iqm_spec.stages.server.stage import Approved, ServerStage, StageRun
from iqm_spec.stages.server.stored_machines import keep_calibrations, used_sets
from iqm_spec.stages.server.tariff import slot_of, sources_of, tariff_of
from iqm_spec.stages.shots import keys_with_memory
from iqm_spec.store import Store
from iqm_spec.store.events import UsedAttempt


class HardwareStage(ServerStage):
    """Measures on a quantum computer."""

    name = StageName.HARDWARE
    spends_credits = True

    def wrong_verdict(self, plan: Plan, rows: Iterable[Row], status: str) -> str:
        """As in `Stage`: it has passed if every point was measured."""
        measured = [row.record is not None for row in rows]
        missing = measured.count(False)
        if status != "passed" or (measured and not missing):
            return ""
        points = f"{missing:,} of {count(len(measured), 'point')}" if measured else "all points"
        return f"the journal says passed, but the counts of {points} are lost"

    def require_earlier_stages(self, run: StageRun) -> None:
        """Refused unless the mock accepted every point, or that is waived; notes say so."""
        waived, notes = waived_by(run.plan), run.findings.notes
        mock = next((d for d in run.context.before if d.stage is StageName.MOCK), None)
        if waived or (mock is not None and mock.status == "waived"):
            notes.append(f"no mock has accepted this: {waived or (mock and mock.reasons[0])}")
            return
        work = settled_work(run.plan, StageName.MOCK, run.session.server_id, run.store)
        missing = [index for index in range(len(work.keys)) if not work.has(index)]
        if not missing:
            return
        points = [run.plan.points[index] for index in missing]
        circuits = circuits_of(run.store, run.plan, points)
        parts = [
            BatchPart(point, work.keys[index], circuits[point.circuit_key], point.shots)
            for index, point in zip(missing, points, strict=True)
        ]
        outside = untestable(run.server, parts)
        not_accepted = [part.point for part in parts if part.key not in outside]
        if not_accepted:
            first = not_accepted[0]
            name = label(first.name, first.values, first.repeat)
            raise Refused(
                f"the mock has not accepted {count(len(not_accepted), 'point')} (the first is "
                f"{name})",
                hint="add `mock` to `stages`, or waive it: `require: {mock: {waived: REASON}}`",
                code="refused.mock",
            )
        notes.append(f"not testable on the mock: {count(len(outside), 'point')}")

    def calibration_set(self, run: StageRun, target: str) -> str | None:
        """The set that the spec names or the plan was made for; None for the server's default."""
        policy: str = run.plan.header.calibration
        if policy != "pin":
            return None if policy == "latest" else policy
        pinned = run.context.inputs.calibration_sets.get(target)
        current = run.server.architecture(target).calibration_set_id
        if pinned is not None and pinned != current:
            run.server.architecture(target, pinned)  # Refused where the server no longer takes it
            run.findings.notes.append(
                f"{target}: the default calibration set moved to {current}; the pinned {pinned} is "
                f"used{_gain(run, target)}"
            )
        return pinned or current

    def approve(self, run: StageRun, jobs: Sequence[Batch]) -> Approved:
        """The jobs that fit in what is booked, priced, covered by the budget, and agreed to."""
        require_journals(run.store, run.session.server_id)
        tariff = self._tariff(run, jobs)
        costs = [tariff.cost(job_to_price(job.target, job)) for job in jobs]
        fitting_jobs = self._fitting(run, jobs, costs)
        jobs = [jobs[index] for index in fitting_jobs]
        costs = [costs[index] for index in fitting_jobs]
        limits = spending_limits(run.context.inputs, run.context.options)
        budget = BudgetGuard(run.store, run.plan.name, run.session.server_id, limits)
        if jobs:
            budget.require(total_credits(costs).high, count(len(costs), "job"))
            self._require_consent(run, jobs, costs)
        return Approved(jobs, tariff, budget)

    def _tariff(self, run: StageRun, jobs: Sequence[Batch]) -> Tariff:
        """Prices of the jobs; a note says where the server's price is higher than the one used."""
        computers = list(dict.fromkeys(job.target for job in jobs))
        server_prices = run.server.prices(computers)
        options, inputs = run.context.options, run.context.inputs
        sources = sources_of(options.costs, inputs.budget, server_prices, run.session)
        used = sources.command_line if sources.command_line is not None else sources.spec
        for computer, server_price in server_prices.items():
            if used is not None and used < server_price:
                run.findings.notes.append(
                    f"{computer} is priced at {used:g} credits per second; the server says "
                    f"{server_price:g}"
                )
        return tariff_of(computers, run.session.server_id, run.store, options.costs, sources)

    def _fitting(self, run: StageRun, jobs: Sequence[Batch], costs: Sequence[JobCost]) -> list[int]:
        """Numbers of the jobs that fit in the time booked, in timeslot mode; else of all.

        Where the server does not report timeslots, and the user names no time, all are submitted.
        Refused where it says that none is booked.
        """
        if run.plan.header.mode != Mode.TIMESLOT.value:
            return list(range(len(jobs)))
        fits: list[int] = []
        without_slot: list[str] = []
        reasons: list[str] = []
        for target in dict.fromkeys(job.target for job in jobs):
            numbers = [number for number, job in enumerate(jobs) if job.target == target]
            slot = slot_of(run.server.slot_seconds(target), run.context.options.costs.slot_seconds)
            if slot == 0:
                without_slot.append(target)
                continue
            seconds = [costs[number].seconds for number in numbers]
            fit = len(numbers) if slot is None else jobs_fitting_timeslot(seconds, slot)
            fits += numbers[:fit]
            if slot is not None and fit < len(numbers):
                reasons.append(_why_held_back(target, seconds, fit, slot))
        if not fits and without_slot:
            computers = ", ".join(without_slot)
            hint = (
                "have the project's PI (role Scheduler) book one, or write `mode: pay-as-you-go`; "
                "--slot TIME gives the length of one that the server does not report"
            )
            if run.session.server_id == EMULATOR:
                hint = (
                    f"`iqm-spec emulator --slot {computers}:0:3600` serves a computer with a "
                    "timeslot"
                )
            raise Refused(
                f"no timeslot is booked on {computers}", hint=hint, code="refused.timeslot"
            )
        if without_slot:
            reasons.append(f"held back: no timeslot is booked on {', '.join(without_slot)}")
        if reasons:
            run.findings.not_submitted = "; ".join(reasons)
        return sorted(fits)

    def _require_consent(
        self, run: StageRun, jobs: Sequence[Batch], costs: Sequence[JobCost]
    ) -> None:
        """Refused where the user does not agree to the costs; the built-in emulator has none."""
        if run.session.server_id == EMULATOR:
            return
        findings = run.findings
        notes = [
            *findings.notes,
            *machine_notes(
                run.server.computer_info(t) for t in dict.fromkeys(job.target for job in jobs)
            ),
            *_server_estimate(run, jobs),
            *([findings.not_submitted] if findings.not_submitted else []),
        ]
        bill = bill_of(run.session, self.name, run.plan.header.mode, jobs, costs, notes)
        if not run.context.options.agree(bill):
            raise Refused(
                "nothing was submitted: the costs were not agreed to",
                hint="answer `y`, or give --yes where there is no terminal",
                code="refused.consent",
            )

    def keys_with_shots(self, plan: Plan, keys: Sequence[str]) -> frozenset[str]:
        """Keys of the points of circuits with `memory: true`."""
        return keys_with_memory(plan.points, keys)

    def store_derived(
        self, run: StageRun, used: Sequence[UsedAttempt]
    ) -> tuple[list[str], list[str]]:
        """Distances of the counts; quality metrics of the calibration sets that were used."""
        findings = run.findings
        rows = list(server_rows(run.store, run.plan, self.name, run.session.server_id, used))
        derived = derive(run.store, run.plan, rows)
        sets = used_sets(rows)
        ask_server = findings.polled and not findings.stopped
        calibrations = keep_calibrations(run.store, run.session, sets, ask_server=ask_server)
        for target, calibration in sets if run.plan.header.calibration == "pin" else ():
            pinned = run.context.inputs.calibration_sets.get(target)
            if pinned is not None and calibration != pinned:
                findings.notes.append(
                    f"{target}: the results in the folder are of calibration set {calibration}, "
                    f"the plan is for {pinned}; `--fresh` measures again"
                )
        return derived, calibrations

    def preview(self, context: PreviewContext) -> ServerPreview:
        """As in `Stage`, with costs."""
        limits = spending_limits(context.inputs, context.options)
        return preview_paid(self.name, context, limits)

    def news(self, store: Store, plan: Plan, server_id: str) -> Sequence[str]:
        """Jobs that the server has twice: of folders that were merged, say."""
        return paid_twice(read_work(plan, self.name, server_id, store))


def spending_limits(inputs: RunInputs, options: RunOptions) -> Limits:
    """The limits of the spec's budget and of the command line."""
    rules = {name: inputs.budget[name] for name in ("failed", "cancelled") if name in inputs.budget}
    return Limits(inputs.budget.get("credits"), options.costs.most, Counting(**rules))


def _gain(run: StageRun, target: str) -> str:
    """What today's calibration means for the plan's circuits; empty where that is not known."""
    try:
        calibration = run.server.calibration_set(target, required=False)
        machine = run.server.architecture(target).architecture
        today = todays_placement(run.store, run.plan, machine, calibration.error_profile())
    except (IqmSpecError, ValueError):  # no figures: the run goes on without the note
        return ""
    return "" if today is None else f"; {today.words}"


def _why_held_back(computer: str, seconds: Sequence[Range], fit: int, slot: float) -> str:
    usable = slot * (1 - MARGIN)
    needed = timeslot_for_jobs(seconds).seconds.high / 60
    return (
        f"{count(len(seconds) - fit, 'job')} of {len(seconds)} held back, from job {fit + 1} on: "
        f"all of them may take {needed:.1f} min on {computer}, with the time between jobs, and "
        f"{usable / 60:.1f} of {slot / 60:.1f} min are usable; `iqm-spec run` submits them "
        "when there is room"
    )


def _server_estimate(run: StageRun, jobs: Sequence[Batch]) -> Iterator[str]:
    """The server's own estimate of the jobs' run time, where the mock's copies of them have one."""
    mock = read_work(run.plan, StageName.MOCK, run.session.server_id, run.store)
    keys = {mock.keys[part.point.index] for job in jobs for part in job.parts}
    copies = [
        attempt
        for attempt in mock.attempts(Phase.COMPLETED)
        if any(key in keys for key, _ in attempt.parts)
    ]
    estimates = [attempt.completion.server_estimate_seconds for attempt in copies]
    known = [float(seconds) for seconds in estimates if seconds is not None]
    carried = {key for attempt in copies for key, _ in attempt.parts}
    if known and len(known) == len(estimates) and carried == keys:
        yield (
            f"the server itself estimated {amount(sum(known))} s for {count(len(copies), 'job')} "
            "of the same circuits on the mock"
        )
