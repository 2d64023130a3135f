"""The RO-Crate metadata of an archive, after the Workflow Run Crate profile.

RO-Crate 1.1 (https://www.researchobject.org/ro-crate/1.1/), Process and Workflow Run Crate 0.5
(https://www.researchobject.org/workflow-run-crate/), Workflow RO-Crate 1.0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from attrs import frozen

from iqm_spec.archive.contents import EXPERIMENT, Contents
from iqm_spec.archive.texts import About
from iqm_spec.engine.event_lines import stage_label
from iqm_spec.json_types import Json
from iqm_spec.model import StageName
from iqm_spec.stages.server.attempts import Attempt
from iqm_spec.stages.server.judge import lasting
from iqm_spec.store.events import RunAnalysed

METADATA = "ro-crate-metadata.json"

VERSION = "1.1"

WORKFLOW = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    WORKFLOW: ("Workflow RO-Crate", "1.0"),
}
SHA256_TERM = "https://w3id.org/ro/terms/workflow-run#sha256"
"""The one term that RO-Crate's own context lacks, so that a second context need not be fetched."""

LANGUAGE = "#iqm-spec-language"

Entity = dict[str, Any]


@frozen
class Held:
    """A file of the archive: its size in bytes and, where it is known, its sha256."""

    size: int
    sha256: str | None = None


def metadata(
    contents: Contents, about: About, held: Mapping[str, Held], titles: Mapping[str, str]
) -> bytes:
    """The file's bytes, the same each time.

    `held` are all other files of the archive, `titles` says what added ones are.
    """
    from rocrate.model.contextentity import ContextEntity
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version=VERSION)
    root = crate.root_dataset
    for name, value in _root(contents, about).items():
        root[name] = value
    named = named_objects(contents)
    for path in _listed(contents, held, named):
        properties = _file(path, held[path], named, contents)
        told = {"name": titles[path]} if path in titles else {}
        crate.add_file(dest_path=path, properties={**properties, **told})
    for folder, text in _folders(contents).items():
        crate.add_dataset(dest_path=folder, properties={"name": folder, "description": text})
    context = [*_profiles(), *_people(about), _licence(about), _language(contents)]
    for entity in [*context, *entities(contents, about)]:
        properties = {name: value for name, value in entity.items() if name != "@id"}
        crate.add(ContextEntity(crate, entity["@id"], properties=properties))
    crate.mainEntity = crate.dereference(contents.spec)
    crate.metadata["conformsTo"] = ref(crate.metadata.profile, WORKFLOW)
    crate.metadata.extra_terms["sha256"] = SHA256_TERM
    return _canonical(crate.metadata.generate())


def _canonical(document: Mapping[str, Any]) -> bytes:
    """Entities by their ids, the descriptor and the root first."""
    first = [METADATA, "./"]
    graph = sorted(
        document["@graph"],
        key=lambda one: (first.index(one["@id"]) if one["@id"] in first else 2, one["@id"]),
    )
    told = {"@context": document["@context"], "@graph": graph}
    return json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def ref(*ids: str) -> Any:
    """References to entities; a single one stands alone."""
    found = [{"@id": one} for one in ids]
    return found[0] if len(found) == 1 else found


def _root(contents: Contents, about: About) -> Entity:
    found: Entity = {
        "name": about.title,
        "description": about.description,
        "identifier": contents.saved.state.id,
        "datePublished": about.date,
        "license": ref(about.citation.licence.url),
        "conformsTo": ref(*PROFILES),
        "keywords": ["quantum computing", "IQM", "Qiskit", contents.saved.plan.name],
        "mentions": ref(*ids(contents)),
    }
    if about.citation.people:
        found["author"] = ref(*about.person_ids)
    return found


def _profiles() -> list[Entity]:
    return [
        {"@id": url, "@type": "CreativeWork", "name": name, "version": version}
        for url, (name, version) in PROFILES.items()
    ]


def _people(about: About) -> list[Entity]:
    found = []
    people = [*about.citation.people, *about.agents]
    ids = [*about.person_ids, *about.agent_ids]
    for id_, person in dict(zip(ids, people, strict=True)).items():
        entity: Entity = {"@id": id_, "@type": "Person", "name": person.name}
        told = {
            "familyName": person.family,
            "givenName": person.given,
            "affiliation": person.affiliation,
        }
        found.append(entity | {name: value for name, value in told.items() if value})
    return found


def _licence(about: About) -> Entity:
    licence = about.citation.licence
    name = licence.spdx or licence.url
    text = f"Licence of this archive: {name}"
    return {"@id": licence.url, "@type": "CreativeWork", "name": name, "description": text}


def _language(contents: Contents) -> Entity:
    return {
        "@id": LANGUAGE,
        "@type": "ComputerLanguage",
        "name": f"iqm-spec experiment, version 1 ({contents.spec.rpartition('.')[2].upper()})",
        "version": "1",
    }


def _folders(contents: Contents) -> dict[str, str]:
    """The folders of the results folder that are there, each in words."""
    told = {
        "objects": "Plans, circuits, counts: canonical JSON, each file named by its sha256",
        "runs": "What happened in the run, event by event",
        "jobs": "What happened to each job on a server, event by event",
        "asks": "Empty files that name the plan which answers an ask",
    }
    there = {path.partition("/")[0] for path in contents.files}
    return {f"{name}/": text for name, text in told.items() if name in there}


def _listed(
    contents: Contents, held: Mapping[str, Held], named: Mapping[str, str]
) -> Sequence[str]:
    """Files with an entity of their own: plain ones, and objects that a role is known of."""
    kept = {contents.objects[digest] for digest in named}
    plain = {path for path in held if path not in contents.files}
    return sorted(kept | plain)


def _file(
    path: str, held: Held, named: Mapping[str, str], contents: Contents
) -> Mapping[str, Json]:
    digest = path.rpartition("/")[2].partition(".")[0]
    found: Entity = {"contentSize": str(held.size), "encodingFormat": _kind(path)}
    if held.sha256 is not None:
        found["sha256"] = held.sha256
    if path == contents.spec:
        return {**found, **_workflow(contents)}
    if path.startswith(f"{EXPERIMENT}/"):
        return {**found, "name": path, "description": "A circuit file that the spec names"}
    about = {"about": ref("./")} if path == "README.md" else {}
    return {**found, "name": named.get(digest, path), **about}


def _workflow(contents: Contents) -> Entity:
    digest = contents.saved.plan.header.spec.digest
    return {
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": contents.saved.plan.name,
        "description": "The experiment as it was declared",
        "programmingLanguage": ref(LANGUAGE),
        "version": str(digest)[:16],
        "identifier": f"sha256 of its meaning: {digest}",
    }


def _kind(path: str) -> str:
    kinds = {
        "json": "application/json",
        "jsonl": "application/jsonl",
        "yaml": "application/yaml",
        "cff": "application/yaml",
        "toml": "application/toml",
        "md": "text/markdown",
        "html": "text/html",
        "svg": "image/svg+xml",
        "csv": "text/csv",
        "qasm": "text/plain",
        "gitignore": "text/plain",
        "gitattributes": "text/plain",
    }
    return kinds.get(path.rpartition(".")[2], "application/octet-stream")


RUN = "#run"
PROGRAM = "#iqm-spec"

_STATUS = {
    "done": "CompletedActionStatus",
    "passed": "CompletedActionStatus",
    "waived": "CompletedActionStatus",
    "waiting": "ActiveActionStatus",
    "unfinished": "ActiveActionStatus",
}

_SOFTWARE = {
    "python": ("Python", "https://www.python.org"),
    "numpy": ("NumPy", "https://pypi.org/project/numpy/{}"),
    "qiskit": ("Qiskit", "https://pypi.org/project/qiskit/{}"),
    "qiskit-aer": ("Qiskit Aer", "https://pypi.org/project/qiskit-aer/{}"),
    "iqm-client": ("IQM Client", "https://pypi.org/project/iqm-client/{}"),
}


@frozen
class _Made:
    """What one stage was: status and reasons as in the journal, whether it was emulated."""

    stage: StageName
    status: str
    reasons: Sequence[str]
    emulated: bool

    @property
    def id(self) -> str:
        return f"#stage-{self.stage.value}"


def ids(contents: Contents) -> list[str]:
    """Ids of all actions, the run's first."""
    return [RUN, *(made.id for made in _stages(contents))]


def named_objects(contents: Contents) -> dict[str, str]:
    """Digest to role, of the objects that have an entity of their own."""
    start = contents.saved.state.start
    roles: dict[str, str] = {}
    for stage, digests in contents.needs.results.items():
        roles |= dict.fromkeys(digests, f"Counts of the {stage.value} stage, and what they give")
    roles |= dict.fromkeys(contents.saved.plan.header.circuits, "Transpiled circuits")
    roles[contents.saved.plan.digest] = "Plan: every point, its circuit and its shots"
    roles[start.inputs or ""] = "Machines, error profiles and circuit files"
    roles[start.environment or ""] = "Versions and platform"
    roles[start.text] = "Text of the spec"
    for event in contents.saved.state.each(RunAnalysed):
        roles[event.analyses] = "What analyses found"
    return {digest: role for digest, role in roles.items() if digest in contents.objects}


def entities(contents: Contents, about: About) -> Iterator[Entity]:
    """The run and its stages as actions, and the instruments they used."""
    stages = _stages(contents)
    yield _run(contents, about)
    for made in stages:
        yield _stage(contents, made, about)
    versions = contents.versions
    yield {
        "@id": PROGRAM,
        "@type": "SoftwareApplication",
        "name": "iqm-spec",
        "softwareVersion": str(versions.get("iqm-spec") or "not known"),
        "softwareRequirements": _refs(
            [_software_id(name, versions) for name in _SOFTWARE if versions.get(name)]
        ),
    }
    for name, (title, url) in _SOFTWARE.items():
        if versions.get(name):
            yield {
                "@id": _software_id(name, versions),
                "@type": "SoftwareApplication",
                "name": title,
                "softwareVersion": str(versions[name]),
                "url": url.format(versions[name]),
            }
    for made in stages:
        yield from _machines(contents, made)


def _refs(found: Sequence[str]) -> Any:
    refs = [{"@id": one} for one in dict.fromkeys(found)]
    return refs[0] if len(refs) == 1 else refs


def _run(contents: Contents, about: About) -> Entity:
    saved = contents.saved
    start = saved.state.start
    # ids of files are written as parts of URLs
    files = [quote(path) for path in contents.texts if path != contents.spec]
    results = [digest for some in contents.needs.results.values() for digest in some]
    entity: Entity = {
        "@id": RUN,
        "@type": "CreateAction",
        "name": f"Run {saved.state.id}",
        "description": about.description,
        "instrument": _refs([contents.spec]),
        "object": _refs([*_paths(contents, [start.inputs or "", start.environment or ""]), *files]),
        "result": _refs([*_paths(contents, results), "runs/"]),
        "startTime": saved.state.started.isoformat(),
        **_status(saved.status, _errors(contents)),
    }
    if ended := saved.state.end.at:
        entity["endTime"] = _time(str(ended))
    if about.agents:
        entity["agent"] = _refs(about.agent_ids)
    return entity


def _stage(contents: Contents, made: _Made, about: About) -> Entity:
    plan = contents.saved.plan
    circuits = _paths(contents, [plan.digest, *plan.header.circuits])
    entity: Entity = {
        "@id": made.id,
        "@type": "CreateAction",
        "name": f"Stage {stage_label(made.stage.value, made.emulated)}",
        "description": "; ".join(made.reasons) or f"The stage {made.status}",
        "instrument": _refs(_instruments(contents, made)),
        "object": _refs([*circuits, *_paths(contents, [contents.saved.state.start.inputs or ""])]),
        **_status(made.status, "; ".join(made.reasons)),
    }
    if results := _paths(contents, contents.needs.results.get(made.stage, ())):
        entity["result"] = _refs(results)
    entity |= _times(contents.needs.attempts.get(made.stage, ()))
    if about.agents:
        entity["agent"] = _refs(about.agent_ids)
    return entity


def _stages(contents: Contents) -> list[_Made]:
    """Stages that the journal tells of and that did something."""
    return [
        _Made(
            StageName(told.stage),
            told.status,
            list(map(lasting, told.verdict)),
            told.emulated,
        )
        for told in contents.saved.stages
        if told.status not in ("skipped", "refused")
    ]


def _instruments(contents: Contents, made: _Made) -> list[str]:
    if made.stage is StageName.AER:
        versions = contents.versions
        found = [_software_id(one, versions) for one in ("qiskit-aer",) if versions.get(one)]
        return found or [PROGRAM]
    return [entity["@id"] for entity in _machines(contents, made)] or [PROGRAM]


def _machines(contents: Contents, made: _Made) -> Iterator[Entity]:
    """A server's machines that a stage went to, each with its calibration sets."""
    if made.stage is StageName.AER:
        return
    sets: dict[str, list[str]] = {}
    for attempt in contents.needs.attempts.get(made.stage, ()):
        got = attempt.calibration_set_id or attempt.intent.calibration_set_id
        sets.setdefault(attempt.intent.computer, []).extend([] if got is None else [got])
    for alias, found in sorted(sets.items()):
        yield _machine(contents, made, alias, sorted(set(found)))


def _machine(contents: Contents, made: _Made, alias: str, sets: Sequence[str]) -> Entity:
    realm = str(contents.saved.realm)
    where = f"{alias} at {realm}" if realm.startswith("http") else alias
    text = {
        (StageName.MOCK, True): "An emulator that stood for a mock: its counts are random bits",
        (StageName.MOCK, False): "A server's mock of a machine: its counts are random bits",
        (StageName.HARDWARE, True): "An emulator that stood for a quantum computer",
        (StageName.HARDWARE, False): "A quantum computer, used through its server's API",
    }[made.stage, made.emulated]
    entity: Entity = {
        "@id": f"#{made.stage.value}-{alias}",
        "@type": "SoftwareApplication",
        "name": f"emulated {where}" if made.emulated else where,
        "description": text,
        "softwareVersion": f"calibration set {', '.join(sets)}" if sets else "not told",
    }
    return entity | ({"url": realm} if realm.startswith("http") else {})


def _times(attempts: Sequence[Attempt]) -> Entity:
    """From the first submission to the last completed job."""
    begun = sorted(one.intent.at for one in attempts)
    ended = sorted(end.at for one in attempts for end in one.completions.values())
    found = {"startTime": _time(begun[0])} if begun else {}
    return found | ({"endTime": _time(ended[-1])} if ended else {})


def _time(text: str) -> str:
    return text.replace("Z", "+00:00")


def _status(word: str, why: str) -> Entity:
    status = _STATUS.get(word, "FailedActionStatus")
    found = {"actionStatus": f"http://schema.org/{status}"}
    return found | ({"error": why or word} if status == "FailedActionStatus" else {})


def _errors(contents: Contents) -> str:
    error = contents.saved.state.end.error
    told = [] if error is None else [error.message]
    told += [
        f"{stage.stage} {stage.status}: {'; '.join(stage.verdict)}"
        for stage in contents.saved.stages
        if stage.status not in ("passed", "waived", "skipped")
    ]
    return "; ".join(told)


def _paths(contents: Contents, digests: Sequence[str]) -> list[str]:
    return [contents.objects[digest] for digest in digests if digest in contents.objects]


def _software_id(name: str, versions: Mapping[str, Any]) -> str:
    return _SOFTWARE[name][1].format(versions[name])
