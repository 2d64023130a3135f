"""The report of a run: its sections in the order in which a reader asks."""

from __future__ import annotations

from iqm_spec.report.banners import banners
from iqm_spec.report.document import Document, Section
from iqm_spec.report.pick import by_point
from iqm_spec.report.sections.asked import asked
from iqm_spec.report.sections.circuits import circuits
from iqm_spec.report.sections.jobs import jobs
from iqm_spec.report.sections.machine import machines
from iqm_spec.report.sections.merits import merits
from iqm_spec.report.sections.outcomes import outcomes
from iqm_spec.report.sections.provenance import provenance
from iqm_spec.report.subject import Subject
from iqm_spec.report.words import clean
from iqm_spec.version import __version__

MADE_BY = (
    f"Made by iqm-spec {__version__} from a results folder; nothing in it was asked of a network."
)


def report_of(subject: Subject) -> Document:
    """The report of one run."""
    saved = subject.saved
    found: list[Section | None] = [
        asked(subject),
        merits(subject),
        outcomes(subject, by_point(saved.plan.points, subject.rows)),
        circuits(subject),
        machines(subject),
        jobs(subject),
        provenance(subject),
    ]
    sections = tuple(section for section in found if section is not None)
    title = f"{clean(saved.plan.name, 64)}: report of a run"
    lead = clean(subject.description, 2000)
    return Document(title, lead, banners(subject), sections, f"Run {subject.id}. {MADE_BY}")
