"""The RO-Crate metadata of an archive, after the Workflow Run Crate profile.

RO-Crate 1.1 (https://www.researchobject.org/ro-crate/1.1/), Process and Workflow Run Crate 0.5
(https://www.researchobject.org/workflow-run-crate/), Workflow RO-Crate 1.0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from iqm_spec.archive import actions
from iqm_spec.archive.about import About
from iqm_spec.archive.contents import EXPERIMENT, Contents
from iqm_spec.json_types import Json

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
    named = actions.named_objects(contents)
    for path in _listed(contents, held, named):
        properties = _file(path, held[path], named, contents)
        told = {"name": titles[path]} if path in titles else {}
        crate.add_file(dest_path=path, properties={**properties, **told})
    for folder, text in _folders(contents).items():
        crate.add_dataset(dest_path=folder, properties={"name": folder, "description": text})
    context = [*_profiles(), *_people(about), _licence(about), _language(contents)]
    for entity in [*context, *actions.entities(contents, about)]:
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
        "mentions": ref(*actions.ids(contents)),
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
