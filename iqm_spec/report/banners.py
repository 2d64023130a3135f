"""What a reader must know of a run before any figure: rehearsals, and stages that did not pass."""

from __future__ import annotations

from iqm_spec.engine.words import stage_label
from iqm_spec.report.subject import Subject

_TOLD = {
    "failed": "The {stage} stage failed",
    "refused": "The {stage} stage was refused: nothing more was submitted",
    "waiting": "Jobs of the {stage} stage had not ended when the run was last looked at",
    "unknown": "Whether jobs of the {stage} stage were submitted is not known",
}


def banners(subject: Subject) -> tuple[str, ...]:
    """The warnings above all; none for a run of real machines of which every stage passed."""
    return tuple(told for told in (emulated(subject), not_passed(subject)) if told)


def emulated(subject: Subject) -> str:
    """What a reader must know of a rehearsal; empty for a run of real machines."""
    stages = subject.emulated
    if not stages:
        return ""
    told = " and ".join(stages)
    return (
        f"Emulated: the {told} {'stages were' if len(stages) > 1 else 'stage was'} answered by an "
        "emulator, a program that stands for IQM's server. No quantum computer was used for them."
    )


def not_passed(subject: Subject) -> str:
    """The first stage that did not pass, of which the later ones were kept waiting."""
    for one in subject.saved.stages:
        told = _TOLD.get(one.status)
        if told is not None:
            stage = stage_label(one.stage, one.emulated)
            return f"Not complete. {told.format(stage=stage)}; its verdict has the reasons."
    return ""
