"""Rules of `circuits` that a schema cannot tell well: one source each, and a name of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from iqm_spec.diagnostics import Problem, TreePath
from iqm_spec.json_types import Json
from iqm_spec.model import SourceKind
from iqm_spec.spec.words import quoted

SOURCES = tuple(kind.value for kind in SourceKind)


def circuit_problems(tree: Mapping[str, Json]) -> list[Problem]:
    """What is wrong in the entries of `circuits` beyond the schema."""
    circuits = tree.get("circuits")
    if not isinstance(circuits, list):
        return []
    entries = [(i, entry) for i, entry in enumerate(circuits) if isinstance(entry, dict)]
    problems = [problem for i, entry in entries for problem in _source_problems(i, entry)]
    problems += _same_names(entries)
    problems += _beside_verbatim(tree, entries)
    return problems


def source_of(entry: Mapping[str, Any]) -> str:
    """The field that says where a circuit comes from, or an empty string."""
    return next((name for name in SOURCES if name in entry), "")


def default_name(kind: str, ref: str) -> str:
    """A circuit's name where none is given: the file's stem, or the generator's last part."""
    if kind == SourceKind.GENERATOR.value:
        return re.split(r"[:.]", ref)[-1]
    return re.sub(r"\.[^./]*\Z", "", ref.replace("\\", "/").rsplit("/", 1)[-1])


def _source_problems(index: int, entry: Mapping[str, Any]) -> Iterator[Problem]:
    path: TreePath = ("circuits", index)
    given = [name for name in SOURCES if name in entry]
    if not given:
        message = "a circuit needs one of `generator`, `qasm`, `qpy` and `stim`"
        yield Problem(path, "S202", message, "add `generator: ghz`, for instance")
        return
    for other in given[1:]:
        message = f"a circuit has one source, but `{given[0]}` and `{other}` are both given"
        hint = "make two entries, or remove one of the two"
        yield Problem((*path, other), "S206", message, hint, on_key=True)
    if given[0] == "generator" and "parameters" in entry:
        message = "`parameters` are those of a circuit file; a generator takes `args`"
        yield Problem((*path, "parameters"), "S206", message, "write `args`", on_key=True)
    if given[0] != "generator" and "args" in entry:
        message = "`args` are those of a generator; a circuit file takes `parameters`"
        yield Problem((*path, "args"), "S206", message, "write `parameters`", on_key=True)
    if "every" in entry and "repeat" in entry:
        message = "`every` says how often a reference circuit is measured; `repeat` says it too"
        yield Problem((*path, "every"), "S206", message, "remove one of the two", on_key=True)
    if "name" not in entry and "${" in str(entry[given[0]]):
        message = f"a circuit whose `{given[0]}` holds a placeholder needs a name"
        yield Problem((*path, "name"), "S202", message, "add `name: ...`")


def _beside_verbatim(
    tree: Mapping[str, Json], entries: list[tuple[int, dict[str, Any]]]
) -> Iterator[Problem]:
    """Options of transpiling that do nothing, since nothing is transpiled."""
    common = _options(tree)
    own: list[tuple[TreePath, Mapping[str, Any]]] = (
        [((), common)] if common.get("verbatim") is True else []
    )
    own += [
        (("circuits", i), options)
        for i, entry in entries
        if {**common, **(options := _options(entry))}.get("verbatim") is True
    ]
    for path, options in own:
        for name in options:
            if name != "verbatim":
                message = f"`{name}` does nothing beside `verbatim: true`"
                hint = "what is sent verbatim is not transpiled; remove it"
                yield Problem((*path, "transpile", name), "S206", message, hint, on_key=True)


def _options(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    found = holder.get("transpile")
    return found if isinstance(found, dict) else {}


def _same_names(entries: list[tuple[int, dict[str, Any]]]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, entry in entries:
        source = source_of(entry)
        ref = entry.get(source)
        name = entry.get("name", default_name(source, ref) if isinstance(ref, str) else None)
        if not isinstance(name, str) or ("name" not in entry and "${" in name):
            continue
        other = first.setdefault(name, index)
        if other != index:
            message = f"circuits {other + 1} and {index + 1} have the same name, {quoted(name)}"
            hint = "give each a `name:` of its own"
            field = "name" if "name" in entry else source
            yield Problem(("circuits", index, field), "S410", message, hint)
