"""The report of a run: its sections in the order in which a reader asks."""

from __future__ import annotations

from iqm_spec.engine.event_lines import stage_label
from iqm_spec.report.circuits import circuits
from iqm_spec.report.document import Block, Code, Document, Facts, Fold, Section, Text
from iqm_spec.report.jobs import jobs
from iqm_spec.report.machines import machines
from iqm_spec.report.merits import merits
from iqm_spec.report.names import clean
from iqm_spec.report.outcomes import by_point, outcomes
from iqm_spec.report.overview import overview
from iqm_spec.report.prediction import prediction
from iqm_spec.report.subject import Subject
from iqm_spec.store.events import JobCompleted, RunJob
from iqm_spec.version import __version__

MADE_BY = f"Made by iqm-spec {__version__} from a results folder, without a network."


_MESSAGES = {
    "failed": "The {stage} stage failed",
    "refused": "The {stage} stage was refused: nothing more was submitted",
    "waiting": "Jobs of the {stage} stage had not ended when the run was last looked at",
    "unknown": "Whether jobs of the {stage} stage were submitted is not known",
}

_MOST_PACKS, _MOST_ROWS = 40, 60


def report_of(subject: Subject) -> Document:
    """The report of one run."""
    saved = subject.saved
    made: list[Section | None] = [
        overview(subject),
        merits(subject),
        prediction(subject),
        outcomes(subject, by_point(saved.plan.points, subject.rows)),
        circuits(subject),
        machines(subject),
        jobs(subject),
        provenance(subject),
    ]
    sections = tuple(section for section in made if section is not None)
    title = f"{clean(saved.plan.name, 64)}: report of a run"
    lead = clean(subject.description, 2000)
    return Document(title, lead, banners(subject), sections, f"Run {subject.id}. {MADE_BY}")


def banners(subject: Subject) -> tuple[str, ...]:
    """The warnings above all; none for a run of real machines of which every stage passed."""
    warnings = []
    if stages := subject.emulated:
        names = f"{' and '.join(stages)} {'stages were' if len(stages) > 1 else 'stage was'}"
        warnings.append(
            f"Emulated: the {names} answered by an emulator, a program that stands for IQM's "
            "server. No quantum computer was used for them."
        )
    # the first stage that did not pass: the later ones wait for it
    for state in subject.saved.stages:
        if message := _MESSAGES.get(state.status):
            stage = stage_label(state.stage, state.emulated)
            text = message.format(stage=stage)
            warnings.append(f"Not complete. {text}; its verdict has the reasons.")
            break
    return tuple(warnings)


def provenance(subject: Subject) -> Section:
    """What ran it, what it is called, and the commands that prove it."""
    versions: list[tuple[str, str]] = [("Run", subject.id)]
    if environment := subject.environment:
        versions += [
            (clean(n, 40), clean(v or "not installed", 40))
            for n, v in sorted(environment.versions.items())[:_MOST_ROWS]
        ]
        platform = environment.platform
        versions.append(("platform", clean(f"{platform.machine} {platform.system}", 60)))
    versions.append(("report made by", f"iqm-spec {__version__}"))
    digest = subject.saved.plan.digest
    commands = (
        "iqm-spec verify results",
        f"iqm-spec reproduce {subject.id} --results results",
        "# without this program: the name of an object is the sha256 of its bytes",
        f"sha256sum results/objects/{digest[:2]}/{digest}.jsonl",
    )
    blocks: tuple[Block, ...] = (
        Facts(tuple(versions)),
        Fold("Digests (sha256)", (Facts(_digests(subject), mono=True),)),
        Text(
            "The results folder holds every file under the sha256 of its bytes. To check it, and "
            "to compute this run again from the folder alone:"
        ),
        Code("In a shell, beside the results folder", "\n".join(commands)),
    )
    return Section("provenance", "Versions, digests, verification", blocks)


def _digests(subject: Subject) -> tuple[tuple[str, str], ...]:
    start, plan = subject.saved.state.start, subject.saved.plan
    rows: list[tuple[str, str | None]] = [
        ("spec, its meaning", plan.header.spec.digest),
        ("spec, its text", start.text),
        ("plan", plan.digest),
        ("machines, noise, files", start.inputs),
        ("versions", start.environment),
    ]
    rows += [("transpiled circuits", digest) for digest in plan.header.circuits[:_MOST_PACKS]]
    packs = [job.records for job in subject.saved.state.each(RunJob)]
    packs += [
        job.outcome.records
        for jobs in subject.jobs.values()
        for job in jobs
        if isinstance(job.outcome, JobCompleted)
    ]
    known = list(dict.fromkeys(digest for digest in packs if digest is not None))
    rows += [("records", digest) for digest in known[:_MOST_PACKS]]
    if len(known) > _MOST_PACKS:
        rows.append(("records", f"and {len(known) - _MOST_PACKS:,} more packs"))
    return tuple((name, clean(digest or "not kept", 80)) for name, digest in rows)
