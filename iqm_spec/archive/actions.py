"""What was done, with which instruments, from what to what: the actions of an RO-Crate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from attrs import frozen

from iqm_spec.archive.about import About
from iqm_spec.archive.contents import Contents
from iqm_spec.engine.words import stage_label
from iqm_spec.model import StageName
from iqm_spec.stages.server.attempts import Attempt
from iqm_spec.stages.server.judge import lasting
from iqm_spec.store.events import RunAnalysed

Entity = dict[str, Any]

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
