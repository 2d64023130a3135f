"""`extends: base.yaml`: the fields of another file below those of the spec.

Mappings are merged field by field; a list or a scalar of the spec, null too, replaces the base's.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve

from iqm_spec.circuits import CircuitFileError
from iqm_spec.diagnostics import Diagnostic, Problem, Span
from iqm_spec.errors import SpecError
from iqm_spec.json_types import Json
from iqm_spec.model import CIRCUIT_FILES
from iqm_spec.source import Source, parse_source, path_beside
from iqm_spec.source.source import FileReader

EXTENDS = "extends"


def merge_base(source: Source, read: FileReader) -> tuple[Source, list[Diagnostic]]:
    """`source` with the fields of the file that it extends, and what is wrong with that file."""
    ref = source.tree.get(EXTENDS)
    if not isinstance(ref, str) or source.base is not None:
        return source, []
    own = {name: value for name, value in source.tree.items() if name != EXTENDS}
    try:
        data = read(ref)
        base = parse_source(data, Path(path_beside(source.file, ref)))
    except CircuitFileError as error:
        problem = Problem((EXTENDS,), error.code, error.message, error.hint)
        return evolve(source, tree=own), [source.diagnose(problem)]
    except SpecError as error:
        return evolve(source, tree=own), list(error.diagnostics)
    mistakes = []
    if EXTENDS in base.tree:
        text = "a file that is extended cannot extend another"
        problem = Problem((EXTENDS,), "S111", text, "one level is allowed", on_key=True)
        mistakes.append(base.diagnose(problem))
    if "iqm_spec" not in base.tree:
        text = "`iqm_spec` is missing: a file that is extended names its version too"
        mistakes.append(Diagnostic(base.file, Span(1, 1, 2), "S202", text, "add `iqm_spec: 1`"))
    elif base.tree["iqm_spec"] != 1:
        text = f"this program reads version 1 of the language, not {base.tree['iqm_spec']}"
        mistakes.append(base.diagnose(Problem(("iqm_spec",), "S208", text, "write `iqm_spec: 1`")))
    tree = _merged(_moved(base.tree, posixpath.dirname(ref)), own)
    files = {**source.files, ref: data}
    return evolve(source, tree=tree, base=base, files=files), mistakes


def _merged(base: Mapping[str, Json], own: Mapping[str, Json]) -> dict[str, Json]:
    merged = {name: value for name, value in base.items() if name != EXTENDS}
    for name, value in own.items():
        below = merged.get(name)
        if isinstance(below, dict) and isinstance(value, dict):
            value = _merged(below, value)
        merged[name] = value
    return merged


def _moved(tree: Mapping[str, Json], folder: str) -> Mapping[str, Json]:
    """`tree` with the paths in it, which are relative to `folder`, relative to the spec."""
    if not folder:
        return tree
    moved: dict[str, Json] = dict(tree)
    if isinstance(tree.get("architecture"), str):
        moved["architecture"] = _path(folder, tree["architecture"])
    aer = tree.get("aer")
    if isinstance(aer, dict) and str(aer.get("noise", "")).endswith(".json"):
        moved["aer"] = {**aer, "noise": _path(folder, aer["noise"])}
    if isinstance(tree.get("sweep"), list):
        moved["sweep"] = _moved_sweep(tree["sweep"], folder)
    circuits = tree.get("circuits")
    if isinstance(circuits, list):
        moved["circuits"] = [_moved_circuit(entry, folder) for entry in circuits]
    return moved


def _moved_circuit(entry: Json, folder: str) -> Json:
    if not isinstance(entry, dict):
        return entry
    moved = {k: _path(folder, v) if k in CIRCUIT_FILES else v for k, v in entry.items()}
    if "sweep" in entry:
        moved["sweep"] = _moved_sweep(entry["sweep"], folder)
    return moved


def _moved_sweep(sweep: Json, folder: str) -> Json:
    """Blocks whose data files are relative to the spec."""
    if not isinstance(sweep, list):
        return sweep
    return [
        {**block, "zip": [_moved_group(group, folder) for group in block["zip"]]}
        if isinstance(block, dict) and isinstance(block.get("zip"), list)
        else block
        for block in sweep
    ]


def _moved_group(group: Json, folder: str) -> Json:
    if isinstance(group, dict) and isinstance(group.get("from"), str):
        return {**group, "from": _path(folder, group["from"])}
    return group


def _path(folder: str, ref: Json) -> Json:
    """A path of the base beside the spec; one that is not relative stays, and is refused later."""
    if not isinstance(ref, str) or ref.startswith(("/", "~")) or "\\" in ref or not ref:
        return ref
    return posixpath.normpath(posixpath.join(folder, ref))
