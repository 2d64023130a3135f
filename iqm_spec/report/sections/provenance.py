"""Versions, digests, and how to check all of it without this program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iqm_spec.engine.journal import JOB
from iqm_spec.report.document import Block, Code, Facts, Fold, Section, Text
from iqm_spec.report.subject import Subject
from iqm_spec.report.words import clean
from iqm_spec.store.layout import DIGEST
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
    told: Any = subject.environment.get("versions", {})
    platform: Any = subject.environment.get("platform", {})
    rows: list[tuple[str, str]] = [("Run", subject.id)]
    if isinstance(told, Mapping):
        rows += [
            (clean(n, 40), clean(v or "not installed", 40))
            for n, v in sorted(told.items())[:_MOST_ROWS]
        ]
    if isinstance(platform, Mapping):
        rows.append(("platform", clean(" ".join(map(str, platform.values())), 60)))
    return (*rows, ("report made by", f"iqm-spec {__version__}"))


def _digests(subject: Subject) -> tuple[tuple[str, str], ...]:
    fields, plan = subject.saved.state.fields, subject.saved.plan
    rows = [
        ("spec, its meaning", plan.header["spec"]["digest"]),
        ("spec, its text", fields.get("text")),
        ("plan", plan.digest),
        ("machines, noise, files", fields.get("inputs")),
        ("versions", fields.get("environment")),
    ]
    rows += [("transpiled circuits", one) for one in plan.header["circuits"][:_MOST_PACKS]]
    packs = [event.fields.get("records") for event in subject.saved.state.of_kind(JOB)]
    packs += [job.fields.get("records") for jobs in subject.jobs.values() for job in jobs]
    known = list(dict.fromkeys(str(one) for one in packs if DIGEST.fullmatch(str(one))))
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
