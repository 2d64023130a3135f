"""`--set PATH=VALUE`: one field replaced before a spec is checked, by the rules of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve

from iqm_spec.diagnostics import Diagnostic, Span, TreePath
from iqm_spec.json_types import Json
from iqm_spec.source import Override, Source
from iqm_spec.source.text import control_characters
from iqm_spec.spec.field_rules import default_name, source_of
from iqm_spec.spec.phrases import field_name

_FILE = "--set"


class _Unusable(Exception):
    """An override that cannot be applied."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def apply_overrides(source: Source, overrides: Sequence[str]) -> tuple[Source, list[Diagnostic]]:
    """`source` with every override in it that could be read, and what is wrong with the others."""
    diagnostics: list[Diagnostic] = []
    for line, text in enumerate(overrides, start=1):
        try:
            source = _apply_one(source, text, line)
        except _Unusable as error:
            diagnostics.append(error.diagnostic)
    return source, diagnostics


def _apply_one(source: Source, text: str, line: int) -> Source:
    name, equals, raw = text.partition("=")
    if not equals or not name.strip():
        hint = "write --set shots=2000"
        raise _Unusable(_at(line, 1, len(text), "S102", "this is not PATH=VALUE", hint))
    value = _value(raw, line, len(name) + 2)
    path = _path(name.strip(), source.tree)
    start = len(name) - len(name.lstrip()) + 1
    tree = _replaced(source.tree, path, value, _at(line, start, start + len(name.strip())))
    end = start + len(name.strip())
    key_start = end - len(str(path[-1]))
    patch = Override(path, Span(line, key_start, end), Span(line, len(name) + 2, len(text) + 1))
    return evolve(source, tree=tree, overrides=(*source.overrides, patch))


def _value(raw: str, line: int, column: int) -> Json:
    """`raw` by the rules of a YAML file."""
    from iqm_spec.source.yaml_tree import parse_yaml

    printable = raw.encode("utf-8", "backslashreplace").decode()
    mistakes = control_characters(printable)
    value: Json = None
    if not mistakes:
        value, mistakes = parse_yaml(printable)
    if mistakes:
        code, message, hint = mistakes[0].code, mistakes[0].message, mistakes[0].hint
        span = mistakes[0].span
        start = column + span.column - 1 if span.line == 1 else column
        width = max(1, span.end_column - span.column)
        raise _Unusable(_at(line, start, start + width, code, message, hint))
    if value is None and raw.strip() not in ("null", "~"):
        raise _Unusable(_at(line, 1, column, "S202", "no value follows `=`"))
    return value


def _path(name: str, tree: Mapping[str, Json]) -> TreePath:
    """`circuits.ghz.args.n` as a path: list items by position, circuits by name too."""
    parts = name.split(".")
    path: list[str | int] = []
    node: Json = tree
    while parts:
        step, used = _step(parts, node, circuits=path == ["circuits"])
        path.append(step)
        parts = parts[used:]
        node = _child(node, step)
    return tuple(path)


def _step(parts: Sequence[str], node: Json, *, circuits: bool) -> tuple[str | int, int]:
    """The next step of a path and how many parts it takes: a circuit's name may hold dots."""
    if not isinstance(node, list):
        return parts[0], 1
    if parts[0].isdecimal():
        return int(parts[0]), 1
    for used in range(len(parts), 0, -1) if circuits else ():
        name = ".".join(parts[:used])
        for index, entry in enumerate(node):
            if isinstance(entry, Mapping) and _name(entry) == name:
                return index, used
    return parts[0], 1


def _name(entry: Mapping[str, Json]) -> str:
    kind = source_of(entry)
    return str(entry.get("name") or default_name(kind, str(entry.get(kind, ""))))


def _child(node: Json, step: str | int) -> Json:
    if isinstance(node, Mapping) and isinstance(step, str):
        return node.get(step)
    if isinstance(node, list) and isinstance(step, int) and step < len(node):
        return node[step]  # type: ignore[no-any-return]
    return None


def _replaced(
    tree: Mapping[str, Json], path: TreePath, value: Json, where: Diagnostic
) -> dict[str, Json]:
    """A copy of `tree` with `value` at `path`; mappings on the way are made where missing."""
    root: dict[str, Json] = dict(tree)
    node: Any = root
    for depth, step in enumerate(path):
        last = depth == len(path) - 1
        _refuse_wrong_step(node, step, path[:depth], where)
        child = {} if isinstance(node, dict) and node.get(step) is None else node[step]
        if not last and not isinstance(child, dict | list):
            raise _cannot(where, f"{field_name(path[: depth + 1])} has no fields")
        node[step] = value if last else child.copy()
        node = node[step]
    return root


def _refuse_wrong_step(node: Any, step: str | int, above: TreePath, where: Diagnostic) -> None:
    if isinstance(node, dict):
        return
    if isinstance(step, str):
        names = [_name(entry) for entry in node if isinstance(entry, Mapping)]
        known = f": {', '.join(names)}" if above == ("circuits",) and names else ""
        raise _cannot(where, f"{field_name(above)} has no item {field_name((step,))}{known}")
    if step >= len(node):
        raise _cannot(where, f"{field_name(above)} has {len(node)} items, counted from 0")


def _cannot(where: Diagnostic, message: str) -> _Unusable:
    return _Unusable(evolve(where, message=message))


def _at(
    line: int, start: int, end: int, code: str = "S201", message: str = "", hint: str = ""
) -> Diagnostic:
    return Diagnostic(_FILE, Span(line, start, end), code, message, hint)
