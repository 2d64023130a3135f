"""A spec file to a `Spec`, with all of its mistakes in one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from iqm_spec.circuits import CircuitFileError, read_circuit_file
from iqm_spec.diagnostics import Diagnostic, Problem, TreePath
from iqm_spec.errors import SpecError
from iqm_spec.json_types import Json
from iqm_spec.model import Spec
from iqm_spec.source import Source, read_source
from iqm_spec.source.source import FileReader
from iqm_spec.spec.build import build_spec, prune
from iqm_spec.spec.data_groups import fill_data_groups
from iqm_spec.spec.extends import EXTENDS, merge_base
from iqm_spec.spec.field_rules import (
    circuit_problems,
    experiment_problems,
    placeholder_problems,
    secret_problems,
)
from iqm_spec.spec.overrides import apply_overrides
from iqm_spec.spec.sweep_values import split_sweeps
from iqm_spec.spec.targets import SpecTargets, read_targets

VERSION = 1
"""The version of the language that this program reads."""

_NOT_COUNTED = ("sweep", "args")
_MAX_VALUES = 200_000
"""Values outside of sweeps' lists; the schema's validator would take minutes for more."""


def read_and_build(
    path: Path, overrides: Sequence[str] = ()
) -> tuple[Source | None, Spec | None, list[Diagnostic], tuple[str, ...]]:
    """What could be read of a spec, its mistakes (sorted), and notices.

    There is a source where the file is YAML or TOML at all. There is a spec, even beside mistakes,
    where a circuit is known: parts that are wrong are left out of it or defaults, its target None.
    """
    try:
        source = read_source(path)
    except SpecError as error:
        return None, None, list(error.diagnostics), ()
    return build_source(source, overrides)


def build_source(
    source: Source, overrides: Sequence[str] = (), read: FileReader | None = None
) -> tuple[Source, Spec | None, list[Diagnostic], tuple[str, ...]]:
    """As `read_and_build`, of a source that was read: of a text that a results folder keeps.

    `read` reads the files that it extends and takes data from: those of its folder, if left out.
    """
    read = read or (lambda ref: read_circuit_file(source.folder, ref, "file"))
    source, base_mistakes = merge_base(source, read)
    source, diagnostics = apply_overrides(source, overrides)
    data = fill_data_groups(source, read)
    source = data.source
    problems, targets = _problems(source.tree)
    if any(patch.path[:1] == (EXTENDS,) for patch in source.overrides):
        # `--set` came after the files were merged
        text = "`extends` cannot be set"
        problems.append(Problem((EXTENDS,), "S111", text, "write it in the file"))
    if base_mistakes:  # what is missing may be in the base
        problems = [item for item in problems if item.code != "S202"]
    spec = _build(source.tree, problems, targets, data.bad, data.identities)
    spec = None if base_mistakes else spec
    diagnostics += [*base_mistakes, *data.diagnostics]
    diagnostics += [source.diagnose(problem) for problem in problems]
    notices = tuple(dict.fromkeys(ref.notice for ref in targets.refs.values() if ref.notice))
    return source, spec, sorted(set(diagnostics)), notices


def _problems(tree: Mapping[str, Json]) -> tuple[list[Problem], SpecTargets]:
    """Mistakes of `tree` but for those in the points of sweeps."""
    secrets = secret_problems(tree)
    early = _version_problems(tree) or _size_problems(tree)
    if early:
        return [*secrets, *early], SpecTargets({}, None)
    from iqm_spec.spec.schema_problems import schema_problems

    hidden = {problem.path for problem in secrets}
    placeholders = list(placeholder_problems(tree))
    misplaced = {problem.path for problem in placeholders}
    light, problems = split_sweeps(tree)
    problems += [item for item in schema_problems(light) if item.path not in misplaced]
    wrong = {problem.path for problem in problems}
    targets, unreadable = read_targets(tree)
    rules = [*circuit_problems(tree), *unreadable, *experiment_problems(tree, targets)]
    problems += [problem for problem in rules if problem.path not in wrong]
    problems += placeholders
    # nothing more is said of what holds a secret
    shown = [item for item in problems if not any(_contains(part, item.path) for part in hidden)]
    return [*secrets, *shown], targets


def _version_problems(tree: Mapping[str, Json]) -> list[Problem]:
    version = tree.get("iqm_spec", VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or version == VERSION:
        return []
    message = f"this program reads version {VERSION} of the language, the spec is in {version}"
    return [Problem(("iqm_spec",), "S208", message, "use a newer iqm-spec, or `iqm_spec: 1`")]


def _size_problems(tree: Mapping[str, Json]) -> list[Problem]:
    stack: list[Any] = [tree]
    count = 0
    while stack:
        container = stack.pop()
        count += len(container)
        if isinstance(container, dict):
            stack += [v for k, v in container.items() if k not in _NOT_COUNTED and _nests(v)]
        else:
            stack += filter(_nests, container)
    if count <= _MAX_VALUES:
        return []
    message = f"the spec holds {count:,} values outside of sweeps; {_MAX_VALUES:,} are allowed"
    return [Problem((), "S109", message, "say with a sweep what circuits have in common")]


def _nests(value: Json) -> bool:
    return isinstance(value, dict | list)


def _build(
    tree: Mapping[str, Json],
    problems: list[Problem],
    targets: SpecTargets,
    lost: Sequence[TreePath],
    data: Mapping[TreePath, Json],
) -> Spec | None:
    """The spec less what is wrong; mistakes in its sweeps are added to `problems`.

    `lost` are blocks whose data could not be had, `data` the identities of those that were.
    """
    if any(problem.code in ("S208", "S109") for problem in problems):
        return None
    bad = [problem.path for problem in problems if problem.code not in _HARMLESS]
    bad += lost
    in_sweeps: list[Problem] = []
    spec = build_spec(prune(tree, bad), targets, in_sweeps.append, data)
    # a mistake in a bad part of a sweep, or above one, may be its consequence
    in_bad_sweeps = [part for part in bad if "sweep" in part[:3]]
    problems += [
        item
        for item in in_sweeps
        if not any(
            _contains(part, item.path) or _contains(item.path, part) for part in in_bad_sweeps
        )
    ]
    return spec


_HARMLESS = ("S410", "S504")
"""Mistakes that leave a field's value as good as any for further checks."""


def _contains(part: TreePath, path: TreePath) -> bool:
    """Whether `path` lies in the part of the tree at `part`."""
    return path[: len(part)] == part


def stored_file_reader(files: Mapping[str, bytes]) -> FileReader:
    """Reads the files that a run stored, by their paths relative to the spec."""

    def read(ref: str) -> bytes:
        if ref not in files:
            raise CircuitFileError("S401", f"the run kept no file `{ref}`")
        return files[ref]

    return read
