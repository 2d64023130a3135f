"""Texts of an archive: title, date, people, a description of the run, README and CITATION.cff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from iqm_spec.allocation.rendering import text as markdown_text
from iqm_spec.archive.citation import Citation, Person
from iqm_spec.archive.contents import Contents
from iqm_spec.engine.event_lines import stage_label
from iqm_spec.plan.label import count
from iqm_spec.source.scalars import as_yaml
from iqm_spec.stages.server.server_info import EMULATOR


@frozen
class About:
    """Texts about an archive. `agents` carried the run out, `date` is the date of publication."""

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
        author_ids = dict(zip(self.citation.people, self.person_ids, strict=True))
        own_ids = _ids("agent", self.agents)
        return tuple(
            author_ids.get(agent, id_) for agent, id_ in zip(self.agents, own_ids, strict=True)
        )


def about(
    contents: Contents,
    citation: Citation,
    title: str | None = None,
    date: str | None = None,
    agents: Sequence[Person] = (),
) -> About:
    """The texts for a run. `date` defaults to the day on which the run ended, or began."""
    saved = contents.saved
    title = title or citation.title or f"Results of the experiment {saved.plan.name}"
    day = str(saved.state.end.at or saved.state.started.isoformat())[:10]
    stages = "; ".join(
        f"{stage_label(stage.stage, stage.emulated)} {stage.status}" for stage in saved.stages
    )
    machines = ", ".join(sorted(saved.plan.header.noise))
    description = (
        f"Run {saved.state.id} of the experiment {saved.plan.name}: "
        f"{count(len(saved.plan.points), 'point')} and "
        f"{count(saved.plan.circuits, 'transpiled circuit')} for {machines}. "
        f"Stages: {stages or 'not ended'}. It contains plan, circuits, counts and versions; "
        "iqm-spec verify checks every file, iqm-spec reproduce repeats the run."
    )
    return About(citation, title, description, date or day, tuple(agents))


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
| license | {license} |

## Using this archive

This folder is a results folder of iqm-spec. Unpack it anywhere. With iqm-spec {version} installed:

```sh
iqm-spec verify .                        # compare every file with its sha256
iqm-spec status {run} --results .
iqm-spec export {run} --results . -o counts.csv
iqm-spec reproduce {run} --results .     # simulate and analyze again, and compare
```

All data are plain JSON. Without iqm-spec, check the bytes with standard tools:

```sh
find . -type f -path './objects/*' | sed -E 's|^(.*/([0-9a-f]{{64}})\\.jsonl?)$|\\2  \\1|' |
  sha256sum --check --strict --quiet
find . -type f \\( -path './runs/*' -o -path './jobs/*' \\) -exec sha256sum {{}} + |
  awk '{{ n = $2; sub(/.*-/, "", n) }}
       n != substr($1, 1, 8) ".json" {{ print $2 ": FAILED"; bad = 1 }} END {{ exit bad }}'
```

| path | content |
|---|---|
{added}| `experiment/` | the spec and its circuit files, as written |
| `objects/` | plan, circuits, counts, machines, versions: canonical JSON, named by its sha256 |
| `runs/`, `jobs/` | the events of the run and its jobs |
| `asks/` | empty files that name the cached plan |
| `ro-crate-metadata.json` | metadata for machines: a Workflow Run RO-Crate |
| `CITATION.cff` | how to cite this archive |
"""


def readme(contents: Contents, about: About, titles: Mapping[str, str]) -> str:
    """The README.md of an archive. Names from the spec are escaped.

    `titles` describes added files, by path.
    """
    saved = contents.saved
    versions = contents.versions
    software = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    overrides = [
        f"{path}={as_yaml(value)}" for path, value in (saved.state.start.set or {}).items()
    ]
    if saved.server_id is None:
        server = "none, simulation only"
    elif saved.server_id == EMULATOR:
        server = "iqm-spec's own emulator"
    else:
        server = _plain(saved.server_id)
    return _README.format(
        title=_plain(about.title),
        description=_plain(about.description),
        run=saved.state.id,
        added="".join(f"| [`{path}`]({path}) | {titles[path]} |\n" for path in sorted(titles)),
        spec=contents.spec,
        overrides=f", with {_plain(', '.join(overrides))}" if overrides else "",
        server=server,
        versions=_plain(software) or "unknown",
        version=_plain(str(versions.get("iqm-spec", ""))),
        authors=_plain("; ".join(person.name for person in about.citation.people)) or "not named",
        license=_plain(about.citation.license.spdx or about.citation.license.url),
    )


def _plain(text: str) -> str:
    """Text that Markdown shows unchanged, on one line, without unprintable characters."""
    return markdown_text("".join(char for char in text if char.isprintable() or char.isspace()))


def citation_file(contents: Contents, about: About) -> str:
    """A CITATION.cff (version 1.2.0) for the archive."""
    import yaml

    license = about.citation.license
    people = [person.to_cff() for person in about.citation.people]
    fields: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use these results, please cite them as below.",
        "type": "dataset",
        "title": about.title,
        "abstract": about.description,
        "authors": people or [{"name": "anonymous"}],
        "date-released": about.date,
        **({"license": license.spdx} if license.spdx else {"license-url": license.url}),
        "keywords": ["quantum computing", "IQM", "Qiskit", contents.saved.plan.name],
        "version": contents.saved.state.id,
    }
    text: str = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=100)
    return text.replace(f"date-released: '{about.date}'", f"date-released: {about.date}")
