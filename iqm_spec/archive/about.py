"""What an archive says of itself: title, day, people, what the run did, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import field, frozen

from iqm_spec.archive.citation import Citation, Person
from iqm_spec.archive.contents import Contents
from iqm_spec.engine.words import stage_label
from iqm_spec.plan.label import count


@frozen
class About:
    """The text of an archive. `agents` carried the run out, `date` is its day of publication."""

    citation: Citation
    title: str
    description: str
    date: str
    agents: tuple[Person, ...] = ()
    person_ids: tuple[str, ...] = field(init=False)
    agent_ids: tuple[str, ...] = field(init=False)

    @person_ids.default
    def _person_ids(self) -> tuple[str, ...]:
        return _ids("author", self.citation.people)

    @agent_ids.default
    def _agent_ids(self) -> tuple[str, ...]:
        known = dict(zip(self.citation.people, self.person_ids, strict=True))
        fresh = _ids("agent", self.agents)
        return tuple(known.get(one, id_) for one, id_ in zip(self.agents, fresh, strict=True))


def about(
    contents: Contents,
    citation: Citation,
    title: str | None = None,
    date: str | None = None,
    agents: Sequence[Person] = (),
) -> About:
    """The words for a run; without a `date` the day on which it ended, or began."""
    saved = contents.saved
    told = title or citation.title or f"Results of the experiment {saved.plan.name}"
    day = str(saved.state.end.at or saved.state.started.isoformat())[:10]
    return About(citation, told, _described(contents), date or day, tuple(agents))


def _described(contents: Contents) -> str:
    saved = contents.saved
    stages = "; ".join(
        f"{stage_label(stage.stage, stage.emulated)} {stage.status}" for stage in saved.stages
    )
    machines = ", ".join(sorted(saved.plan.header.noise))
    return (
        f"Run {saved.state.id} of the experiment {saved.plan.name}: "
        f"{count(len(saved.plan.points), 'point')} and "
        f"{count(saved.plan.circuits, 'transpiled circuit')} for {machines}. "
        f"Stages: {stages or 'not ended'}. Plan, circuits, counts and versions are in it; "
        "iqm-spec verify checks every file, iqm-spec reproduce computes the run again."
    )


def _ids(role: str, people: Iterable[Person]) -> tuple[str, ...]:
    return tuple(
        person.orcid or f"#{role}-{number}" for number, person in enumerate(people, start=1)
    )
