"""The overview of a run: its spec, its circuits and machines, and the verdict of each stage."""

from __future__ import annotations

from collections.abc import Sequence

from iqm_spec.allocation.papers import CircuitRow, circuit_rows
from iqm_spec.cost.ranges import span
from iqm_spec.plan.label import count
from iqm_spec.report.document import Block, Code, Column, Facts, Fold, Section, Table, Text
from iqm_spec.report.names import clean, left_out, listed, stage_name
from iqm_spec.report.subject import Subject
from iqm_spec.source.scalars import as_yaml
from iqm_spec.stages.server.judge import lasting

_MOST_TEXT = 60_000
_MOST_CIRCUITS = 60

_CALIBRATIONS = {
    "pin": "the default one when the run began, for all jobs of a machine (pin)",
    "latest": "the default one at each job (latest)",
}


def overview(subject: Subject) -> Section:
    """The spec, its circuits and machines, and the verdicts."""
    plan = subject.saved.plan
    blocks: list[Block] = [Facts(_facts(subject)), _stages(subject)]
    blocks += _missing(subject)
    blocks.append(_circuits(circuit_rows(plan.points)))
    text = subject.text
    cut = f" (its first {_MOST_TEXT:,} characters)" if len(text) > _MOST_TEXT else ""
    code: list[Block] = [Code(f"The spec's text{cut}", text[:_MOST_TEXT])]
    if subject.overridden:
        sets = [f"{path} = {as_yaml(value)}" for path, value in subject.overridden.items()]
        code.append(Code("Values given by --set", "\n".join(clean(line) for line in sets)))
    blocks.append(Fold("The spec as it was written", tuple(code)))
    return Section("overview", "Overview", tuple(blocks))


def _facts(subject: Subject) -> tuple[tuple[str, str], ...]:
    saved = subject.saved
    plan, header = saved.plan, saved.plan.header
    machines = sorted({point.target for point in plan.points})
    all_shots = sorted({point.shots for point in plan.points})
    noise = [
        f"{clean(alias, 40)}: {'none' if digest is None else f'profile {str(digest)[:12]}'}"
        for alias, digest in sorted(header.noise.items())
    ]
    rows = [
        ("Run", subject.id),
        ("Machine" if len(machines) == 1 else "Machines", clean(listed(machines))),
        ("Stages", ", ".join(header.stages)),
        ("Points", f"{len(plan.points):,}"),
        ("Transpiled circuits", f"{plan.circuits:,}"),
        ("Shots", listed([f"{number:,}" for number in all_shots])),
        ("Seed of the simulation", str(header.seed)),
        ("Noise of the simulation", listed(noise)),
    ]
    if {"mock", "hardware"} & set(header.stages):
        calibration = _CALIBRATIONS.get(header.calibration, clean(header.calibration))
        server = "none"
        if saved.server_id is not None and subject.jobs:
            is_emulator = saved.server_id == "emulator"
            server = "iqm-spec's own emulator" if is_emulator else saved.server_id
        rows += [
            ("Calibration set", calibration),
            ("Mode", clean(header.mode)),
            ("Server", clean(server)),
        ]
    rows.append(("Begun", saved.state.started.strftime("%Y-%m-%d %H:%M:%S UTC")))
    if saved.state.end.at is None:
        rows.append(("Ended", "not ended"))
    else:
        # a run that waits goes on at the server
        waits = saved.status in ("waiting", "unknown")
        time = clean(saved.state.end.at).replace("T", " ").replace("Z", " UTC")
        rows.append(("Last looked at" if waits else "Ended", time))
    return tuple(rows)


def _stages(subject: Subject) -> Block:
    stages = subject.saved.stages
    if not stages:
        return Text(
            "The run has no verdict: it is still running, or it was interrupted.", "warning"
        )
    rows = []
    noisy = any(subject.noisy(point.target) for point in subject.saved.plan.points[:1])
    for state in stages:
        why = lasting("; ".join(state.verdict))
        name = stage_name(state.stage, state.emulated, noisy)
        rows.append((name, clean(state.status, 20), f"{state.points:,}", clean(why, 600)))
    columns = (Column("stage"), Column("verdict"), Column("points", number=True), Column("reasons"))
    return Table("Stages and their verdicts", columns, tuple(rows))


def _missing(subject: Subject) -> list[Block]:
    gaps = subject.gaps
    parts = []
    if gaps.events:
        parts.append("The journal of the run has lost events: stages or jobs may be missing here.")
    if gaps.jobs:
        parts.append(f"The journals of {count(len(gaps.jobs), 'job')} have lost events.")
    if gaps.counts:
        why = "are lost" if gaps.lost else "are not there"
        parts.append(f"The counts of {gaps.share(gaps.counts)} {why}.")
    if gaps.waiting:
        parts.append(f"{gaps.share(gaps.waiting)} wait for their jobs.")
    if gaps.given_up:
        share = gaps.share(gaps.given_up)
        parts.append(f"{share} are not there: their jobs brought nothing.")
    parts += [f"The {clean(stage, 20)} stage has not begun." for stage in gaps.stages]
    return [Text(" ".join(parts), "warning")] if parts else []


def _circuits(rows: Sequence[CircuitRow]) -> Table:
    columns = (
        *(Column(title) for title in ("circuit", "machine", "swept")),
        *(Column(title, number=True) for title in ("points", "qubits", "depth")),
        *(Column(title, number=True) for title in ("two-qubit gates", "shots each")),
    )
    shown = tuple(
        (
            clean(row.name, 60),
            clean(row.machine, 40),
            clean(row.axes, 300),
            f"{row.points:,}",
            *(span(*ends) for ends in (row.qubits, row.depth, row.pairs, row.shots)),
        )
        for row in rows[:_MOST_CIRCUITS]
    )
    rest = left_out(len(rows) - len(shown), "circuit")
    return Table("Circuits, as they are after transpiling", columns, shown, rest)
