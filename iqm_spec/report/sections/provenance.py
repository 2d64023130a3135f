"""Versions, digests, and how to check all of it without this program."""

from __future__ import annotations

from iqm_spec.report.document import Block, Code, Facts, Fold, Section, Text
from iqm_spec.report.subject import Subject
from iqm_spec.report.words import clean
from iqm_spec.store.events import JobCompleted, RunJob
from iqm_spec.version import __version__

_MOST_PACKS, _MOST_ROWS = 40, 60


def provenance(subject: Subject) -> Section:
    """What ran it, what it is called, and the commands that prove it."""
    blocks: tuple[Block, ...] = (
        Facts(_versions(subject)),
        Fold("Digests (sha256)", (Facts(_digests(subject), mono=True),)),
        Text(
            "The results folder holds every file under the sha256 of its bytes. To check it, and "
            "to compute this run again from the folder alone:"
        ),
        Code("In a shell, beside the results folder", _commands(subject)),
    )
    return Section("provenance", "Versions, digests, verification", blocks)


def _versions(subject: Subject) -> tuple[tuple[str, str], ...]:
    rows: list[tuple[str, str]] = [("Run", subject.id)]
    if environment := subject.environment:
        rows += [
            (clean(n, 40), clean(v or "not installed", 40))
            for n, v in sorted(environment.versions.items())[:_MOST_ROWS]
        ]
        platform = environment.platform
        rows.append(("platform", clean(f"{platform.machine} {platform.system}", 60)))
    return (*rows, ("report made by", f"iqm-spec {__version__}"))


def _digests(subject: Subject) -> tuple[tuple[str, str], ...]:
    start, plan = subject.saved.state.start, subject.saved.plan
    rows: list[tuple[str, str | None]] = [
        ("spec, its meaning", plan.header.spec.digest),
        ("spec, its text", start.text),
        ("plan", plan.digest),
        ("machines, noise, files", start.inputs),
        ("versions", start.environment),
    ]
    rows += [("transpiled circuits", one) for one in plan.header.circuits[:_MOST_PACKS]]
    packs = [job.records for job in subject.saved.state.each(RunJob)]
    packs += [
        job.outcome.records
        for jobs in subject.jobs.values()
        for job in jobs
        if isinstance(job.outcome, JobCompleted)
    ]
    known = list(dict.fromkeys(one for one in packs if one is not None))
    rows += [("records", one) for one in known[:_MOST_PACKS]]
    if len(known) > _MOST_PACKS:
        rows.append(("records", f"and {len(known) - _MOST_PACKS:,} more packs"))
    return tuple((name, clean(one or "not kept", 80)) for name, one in rows)


def _commands(subject: Subject) -> str:
    digest = subject.saved.plan.digest
    return "\n".join(
        (
            "iqm-spec verify results",
            f"iqm-spec reproduce {subject.id} --results results",
            "# without this program: the name of an object is the sha256 of its bytes",
            f"sha256sum results/objects/{digest[:2]}/{digest}.jsonl",
        )
    )
