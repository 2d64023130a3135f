"""What an archive says of itself: title, day, people, what the run did, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from iqm_spec.allocation.rendering import text as markdown_text
from iqm_spec.archive.citation import Citation, Person
from iqm_spec.archive.contents import Contents
from iqm_spec.engine.event_lines import stage_label
from iqm_spec.json_types import Json
from iqm_spec.plan.label import count
from iqm_spec.source.scalars import as_yaml
from iqm_spec.stages.server.server_info import EMULATOR


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


_README = """\
# {title}

{description}

| | |
|---|---|
| run | `{run}` |
| spec | [`{spec}`]({spec}){overrides} |
| server | {server} |
| made with | {versions} |
| authors | {authors} |
| licence | {licence} |

## Using it

This folder is a results folder of iqm-spec. Unpacked anywhere, with iqm-spec {version} installed:

```sh
iqm-spec verify .                        # every file against its sha256
iqm-spec status {run} --results .
iqm-spec export {run} --results . -o counts.csv
iqm-spec reproduce {run} --results .     # simulated and derived again, and compared
```

Without iqm-spec the bytes are checked by the usual tools, and all of it is plain JSON:

```sh
find . -type f -path './objects/*' | sed -E 's|^(.*/([0-9a-f]{{64}})\\.jsonl?)$|\\2  \\1|' |
  sha256sum --check --strict --quiet
find . -type f \\( -path './runs/*' -o -path './jobs/*' \\) -exec sha256sum {{}} + |
  awk '{{ n = $2; sub(/.*-/, "", n) }}
       n != substr($1, 1, 8) ".json" {{ print $2 ": FAILED"; bad = 1 }} END {{ exit bad }}'
```

| path | holds |
|---|---|
{added}| `experiment/` | the spec and its circuit files, as they were written |
| `objects/` | plan, circuits, counts, machines, versions: canonical JSON, named by their sha256 |
| `runs/`, `jobs/` | what happened, event by event |
| `asks/` | empty files that name the plan which answers an ask |
| `ro-crate-metadata.json` | what is what, for machines: a Workflow Run RO-Crate |
| `CITATION.cff` | how to cite it |
"""


def readme(contents: Contents, about: About, titles: Mapping[str, str]) -> str:
    """What a stranger reads first. Names that others gave stand in it as plain text.

    `titles` says by path what was added to the archive.
    """
    saved = contents.saved
    versions = contents.versions
    told = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    return _README.format(
        title=_plain(about.title),
        description=_plain(about.description),
        run=saved.state.id,
        added="".join(f"| [`{path}`]({path}) | {titles[path]} |\n" for path in sorted(titles)),
        spec=contents.spec,
        overrides=_overrides(saved.state.start.set),
        server=_server(saved.realm),
        versions=_plain(told) or "not told",
        version=_plain(str(versions.get("iqm-spec", ""))),
        authors=_plain("; ".join(one.name for one in about.citation.people)) or "not named",
        licence=_plain(about.citation.licence.spdx or about.citation.licence.url),
    )


def _server(realm: str | None) -> str:
    if realm is None:
        return "none: simulated only"
    return "iqm-spec's own emulator" if realm == EMULATOR else _plain(realm)


def _overrides(told: Json) -> str:
    if not isinstance(told, dict) or not told:
        return ""
    return ", with " + _plain(", ".join(f"{path}={as_yaml(value)}" for path, value in told.items()))


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line; what is no printable sign is left out."""
    return markdown_text("".join(sign for sign in text if sign.isprintable() or sign.isspace()))


def citation_file(contents: Contents, about: About) -> str:
    """A CITATION.cff (version 1.2.0) for the archive."""
    import yaml

    licence = about.citation.licence
    people = [one.to_cff() for one in about.citation.people]
    told: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use these results, please cite them as below.",
        "type": "dataset",
        "title": about.title,
        "abstract": about.description,
        "authors": people or [{"name": "anonymous"}],
        "date-released": about.date,
        **_licence(licence.spdx, licence.url),
        "keywords": ["quantum computing", "IQM", "Qiskit", contents.saved.plan.name],
        "version": contents.saved.state.id,
    }
    text: str = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=100)
    return text.replace(f"date-released: '{about.date}'", f"date-released: {about.date}")


def _licence(spdx: str | None, url: str) -> Mapping[str, str]:
    return {"license-url": url} if spdx is None else {"license": spdx}
