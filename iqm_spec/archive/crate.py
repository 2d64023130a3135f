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
"""The only term that RO-Crate's context lacks; so readers need not fetch a second context."""

LANGUAGE = "#iqm-spec-language"

_FOLDERS = {
    "objects": "Plans, circuits, counts: canonical JSON, each file named by its sha256",
    "runs": "The events of the run",
    "jobs": "The events of each job on a server",
    "asks": "Empty files that name the cached plan",
}
"""The folders of the results folder in the archive, each with a description."""

_MEDIA_TYPES = {
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

Entity = dict[str, Any]


@frozen
class FileInfo:
    """A file of the archive: its size in bytes and, if it is known, its sha256."""

    size: int
    sha256: str | None = None


def metadata(
    contents: Contents, about: About, infos: Mapping[str, FileInfo], titles: Mapping[str, str]
) -> bytes:
    """The bytes of ro-crate-metadata.json; the same arguments give the same bytes.

    `infos` are all other files of the archive, `titles` describes added ones.
    """
    from rocrate.model.contextentity import ContextEntity
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version=VERSION)
    root = crate.root_dataset
    for name, value in _root(contents, about).items():
        root[name] = value
    # plain files, and objects with a known role, have entities of their own
    named = named_objects(contents)
    objects = {contents.objects[digest] for digest in named}
    for path in sorted(objects | (infos.keys() - set(contents.files))):
        properties = _file(path, infos[path], named, contents)
        title = {"name": titles[path]} if path in titles else {}
        crate.add_file(dest_path=path, properties={**properties, **title})
    existing = {path.partition("/")[0] for path in contents.files}
    for folder, text in _FOLDERS.items():
        if folder in existing:
            properties = {"name": f"{folder}/", "description": text}
            crate.add_dataset(dest_path=f"{folder}/", properties=properties)
    for entity in [*_context(contents, about), *entities(contents, about)]:
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
        key=lambda entity: (
            first.index(entity["@id"]) if entity["@id"] in first else 2,
            entity["@id"],
        ),
    )
    ordered = {"@context": document["@context"], "@graph": graph}
    return json.dumps(ordered, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def ref(*ids: str) -> Any:
    """References to entities: a mapping for one id, else a list."""
    refs = [{"@id": id_} for id_ in ids]
    return refs[0] if len(refs) == 1 else refs


def _root(contents: Contents, about: About) -> Entity:
    root: Entity = {
        "name": about.title,
        "description": about.description,
        "identifier": contents.saved.state.id,
        "datePublished": about.date,
        "license": ref(about.citation.license.url),
        "conformsTo": ref(*PROFILES),
        "keywords": ["quantum computing", "IQM", "Qiskit", contents.saved.plan.name],
        "mentions": ref(*ids(contents)),
    }
    if about.citation.people:
        root["author"] = ref(*about.person_ids)
    return root


def _context(contents: Contents, about: About) -> Iterator[Entity]:
    """The profiles, the people, the license and the language of the spec."""
    for url, (name, version) in PROFILES.items():
        yield {"@id": url, "@type": "CreativeWork", "name": name, "version": version}
    people = [*about.citation.people, *about.agents]
    person_ids = [*about.person_ids, *about.agent_ids]
    for id_, person in dict(zip(person_ids, people, strict=True)).items():
        details = {
            "familyName": person.family,
            "givenName": person.given,
            "affiliation": person.affiliation,
        }
        known = {name: value for name, value in details.items() if value}
        yield {"@id": id_, "@type": "Person", "name": person.name, **known}
    license = about.citation.license
    title = license.spdx or license.url
    yield {
        "@id": license.url,
        "@type": "CreativeWork",
        "name": title,
        "description": f"License of this archive: {title}",
    }
    yield {
        "@id": LANGUAGE,
        "@type": "ComputerLanguage",
        "name": f"iqm-spec experiment, version 1 ({contents.spec.rpartition('.')[2].upper()})",
        "version": "1",
    }


def _file(
    path: str, info: FileInfo, named: Mapping[str, str], contents: Contents
) -> Mapping[str, Json]:
    digest = path.rpartition("/")[2].partition(".")[0]
    media_type = _MEDIA_TYPES.get(path.rpartition(".")[2], "application/octet-stream")
    entity: Entity = {"contentSize": str(info.size), "encodingFormat": media_type}
    if info.sha256 is not None:
        entity["sha256"] = info.sha256
    if path == contents.spec:
        meaning = contents.saved.plan.header.spec.digest
        return {
            **entity,
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
            "name": contents.saved.plan.name,
            "description": "The declared experiment",
            "programmingLanguage": ref(LANGUAGE),
            "version": str(meaning)[:16],
            "identifier": f"sha256 of its meaning: {meaning}",
        }
    if path.startswith(f"{EXPERIMENT}/"):
        return {**entity, "name": path, "description": "A circuit file that the spec names"}
    about = {"about": ref("./")} if path == "README.md" else {}
    return {**entity, "name": named.get(digest, path), **about}


_MACHINES = {
    (StageName.MOCK, True): "An emulator in place of a mock: its counts are random bits",
    (StageName.MOCK, False): "A server's mock of a machine: its counts are random bits",
    (StageName.HARDWARE, True): "An emulator in place of a quantum computer",
    (StageName.HARDWARE, False): "A quantum computer, used through its server's API",
}

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
class _StageAction:
    """A stage of the run: status and reasons as in the journal, and whether it was emulated."""

    stage: StageName
    status: str
    reasons: Sequence[str]
    emulated: bool

    @property
    def id(self) -> str:
        return f"#stage-{self.stage.value}"


def ids(contents: Contents) -> list[str]:
    """Ids of all actions, the run's first."""
    return [RUN, *(action.id for action in _stages(contents))]


def named_objects(contents: Contents) -> dict[str, str]:
    """Digest to role, for the objects with their own entity."""
    start = contents.saved.state.start
    roles: dict[str, str] = {}
    for stage, digests in contents.needs.results.items():
        roles |= dict.fromkeys(digests, f"Counts of the {stage.value} stage, and their distances")
    roles |= dict.fromkeys(contents.saved.plan.header.circuits, "Transpiled circuits")
    roles[contents.saved.plan.digest] = "Plan: every point, its circuit and its shots"
    roles[start.inputs or ""] = "Machines, error profiles and circuit files"
    roles[start.environment or ""] = "Versions and platform"
    roles[start.text] = "Text of the spec"
    for event in contents.saved.state.each(RunAnalysed):
        roles[event.analyses] = "Results of analyses"
    return {digest: role for digest, role in roles.items() if digest in contents.objects}


def entities(contents: Contents, about: About) -> Iterator[Entity]:
    """The run and its stages as actions, and their instruments."""
    stages = _stages(contents)
    yield _run(contents, about)
    for action in stages:
        yield _stage(contents, action, about)
    versions = contents.versions
    yield {
        "@id": PROGRAM,
        "@type": "SoftwareApplication",
        "name": "iqm-spec",
        "softwareVersion": str(versions.get("iqm-spec") or "unknown"),
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
    for action in stages:
        yield from _machines(contents, action)


def _refs(ids: Sequence[str]) -> Any:
    return ref(*dict.fromkeys(ids))


def _run(contents: Contents, about: About) -> Entity:
    saved = contents.saved
    start = saved.state.start
    # ids of files are parts of URLs
    files = [quote(path) for path in contents.texts if path != contents.spec]
    results = [digest for digests in contents.needs.results.values() for digest in digests]
    errors = [] if saved.state.end.error is None else [saved.state.end.error.message]
    errors += [
        f"{stage.stage} {stage.status}: {'; '.join(stage.verdict)}"
        for stage in saved.stages
        if stage.status not in ("passed", "waived", "skipped")
    ]
    entity: Entity = {
        "@id": RUN,
        "@type": "CreateAction",
        "name": f"Run {saved.state.id}",
        "description": about.description,
        "instrument": _refs([contents.spec]),
        "object": _refs([*_paths(contents, [start.inputs or "", start.environment or ""]), *files]),
        "result": _refs([*_paths(contents, results), "runs/"]),
        "startTime": saved.state.started.isoformat(),
        **_status(saved.status, "; ".join(errors)),
    }
    if ended := saved.state.end.at:
        entity["endTime"] = _time(str(ended))
    if about.agents:
        entity["agent"] = _refs(about.agent_ids)
    return entity


def _stage(contents: Contents, action: _StageAction, about: About) -> Entity:
    plan = contents.saved.plan
    circuits = _paths(contents, [plan.digest, *plan.header.circuits])
    instruments = [machine["@id"] for machine in _machines(contents, action)]
    if action.stage is StageName.AER and contents.versions.get("qiskit-aer"):
        instruments = [_software_id("qiskit-aer", contents.versions)]
    entity: Entity = {
        "@id": action.id,
        "@type": "CreateAction",
        "name": f"Stage {stage_label(action.stage.value, action.emulated)}",
        "description": "; ".join(action.reasons) or f"The stage {action.status}",
        "instrument": _refs(instruments or [PROGRAM]),
        "object": _refs([*circuits, *_paths(contents, [contents.saved.state.start.inputs or ""])]),
        **_status(action.status, "; ".join(action.reasons)),
    }
    if results := _paths(contents, contents.needs.results.get(action.stage, ())):
        entity["result"] = _refs(results)
    # from the first submission to the last completed job
    attempts = contents.needs.attempts.get(action.stage, ())
    begun = sorted(attempt.intent.at for attempt in attempts)
    ended = sorted(end.at for attempt in attempts for end in attempt.completions.values())
    if begun:
        entity["startTime"] = _time(begun[0])
    if ended:
        entity["endTime"] = _time(ended[-1])
    if about.agents:
        entity["agent"] = _refs(about.agent_ids)
    return entity


def _stages(contents: Contents) -> list[_StageAction]:
    """Stages in the journal that ran."""
    return [
        _StageAction(
            StageName(stage.stage), stage.status, list(map(lasting, stage.verdict)), stage.emulated
        )
        for stage in contents.saved.stages
        if stage.status not in ("skipped", "refused")
    ]


def _machines(contents: Contents, action: _StageAction) -> Iterator[Entity]:
    """The quantum computers that a stage used, each with its calibration sets."""
    if action.stage is StageName.AER:
        return
    sets: dict[str, list[str]] = {}
    for attempt in contents.needs.attempts.get(action.stage, ()):
        set_id = attempt.calibration_set_id or attempt.intent.calibration_set_id
        sets.setdefault(attempt.intent.computer, []).extend([] if set_id is None else [set_id])
    server = str(contents.saved.server_id)
    at_address = server.startswith("http")
    for alias, set_ids in sorted(sets.items()):
        name = f"{alias} at {server}" if at_address else alias
        listed = ", ".join(sorted(set(set_ids)))
        entity: Entity = {
            "@id": f"#{action.stage.value}-{alias}",
            "@type": "SoftwareApplication",
            "name": f"emulated {name}" if action.emulated else name,
            "description": _MACHINES[action.stage, action.emulated],
            "softwareVersion": f"calibration set {listed}" if listed else "unknown",
        }
        yield {**entity, "url": server} if at_address else entity


def _time(text: str) -> str:
    return text.replace("Z", "+00:00")


def _status(status: str, reason: str) -> Entity:
    action_status = _STATUS.get(status, "FailedActionStatus")
    error = {"error": reason or status} if action_status == "FailedActionStatus" else {}
    return {"actionStatus": f"http://schema.org/{action_status}"} | error


def _paths(contents: Contents, digests: Sequence[str]) -> list[str]:
    return [contents.objects[digest] for digest in digests if digest in contents.objects]


def _software_id(name: str, versions: Mapping[str, Any]) -> str:
    return _SOFTWARE[name][1].format(versions[name])
