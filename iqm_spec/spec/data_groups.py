"""`{from: data.csv}` in a `zip`: the file's columns take the place of axes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import evolve, frozen

from iqm_spec.canonical import sha256
from iqm_spec.circuits import CircuitFileError
from iqm_spec.data import Table, read_table
from iqm_spec.diagnostics import Diagnostic, Problem, TreePath, nearest
from iqm_spec.json_types import Json
from iqm_spec.source import Elsewhere, Source, beside
from iqm_spec.source.places import Mistake
from iqm_spec.spec.named_files import Reader
from iqm_spec.spec.words import shown

FROM = "from"
_FIELDS = (FROM, "columns")


@frozen
class Filled:
    """A source whose data groups are axes; `bad` are those that could not be had.

    `identities` tells of each data group by its place what its axes come from: no path.
    """

    source: Source
    diagnostics: tuple[Diagnostic, ...]
    bad: tuple[TreePath, ...]
    identities: Mapping[TreePath, Json]


def filled(source: Source, read: Reader) -> Filled:
    """`source` with the columns of data files in place of the groups that name them."""
    tree: dict[str, Any] = dict(source.tree)
    groups = list(_groups(tree))
    if not groups:
        return Filled(source, (), (), {})
    filler = _Filler(source, read)
    for path, group in groups:
        _put(tree, path, filler.axes(path, group))
    whole = evolve(
        source,
        tree=tree,
        elsewhere=(*source.elsewhere, *filler.elsewhere),
        files={**source.files, **filler.files},
    )
    return Filled(whole, tuple(filler.diagnostics), tuple(filler.bad), filler.identities)


def _groups(tree: Mapping[str, Any]) -> Iterator[tuple[TreePath, Mapping[str, Any]]]:
    yield from _groups_of(tree.get("sweep"), ("sweep",))
    circuits = tree.get("circuits")
    for i, entry in enumerate(circuits if isinstance(circuits, list) else ()):
        if isinstance(entry, dict):
            yield from _groups_of(entry.get("sweep"), ("circuits", i, "sweep"))


def _groups_of(sweep: Any, path: TreePath) -> Iterator[tuple[TreePath, Mapping[str, Any]]]:
    for b, block in enumerate(sweep if isinstance(sweep, list) else ()):
        groups = block.get("zip") if isinstance(block, dict) else None
        for g, group in enumerate(groups if isinstance(groups, list) else ()):
            if isinstance(group, dict) and isinstance(group.get(FROM), str):
                yield (*path, b, "zip", g), group


def _put(tree: dict[str, Any], path: TreePath, value: Json) -> None:
    """Replace what is at `path`, copying the containers on the way."""
    here: Any = tree
    for step in path[:-1]:
        here[step] = here[step].copy()
        here = here[step]
    here[path[-1]] = value


class _Filler:
    def __init__(self, source: Source, read: Reader) -> None:
        self._source = source
        self._read = read
        self._tables: dict[tuple[str, frozenset[str] | None], Table | None] = {}
        self.files: dict[str, bytes] = {}
        self.diagnostics: list[Diagnostic] = []
        self.bad: list[TreePath] = []
        self.elsewhere: list[Elsewhere] = []
        self.identities: dict[TreePath, Json] = {}

    def axes(self, path: TreePath, group: Mapping[str, Any]) -> dict[str, Json]:
        """The axes of one group by name; none, with the reason told, where there are none."""
        before = len(self.diagnostics)
        for name in group:
            if name not in _FIELDS:
                text = f"`{name}` cannot stand beside `from`: its axes are the file's columns"
                hint = nearest(name, _FIELDS) or "give it a group of its own"
                self._say((*path, name), "S201", text, hint, on_key=True)
        ref = group[FROM]
        table = self._table(ref, _named(group.get("columns")), (*path, FROM))
        wanted = None if table is None else self._wanted(table, group, path)
        if table is None or wanted is None or len(self.diagnostics) > before:
            self.bad.append(path[:-2])
            return {}
        file = beside(self._source.file, ref)

        def span_of(steps: TreePath) -> Any:
            column = table[wanted[str(steps[0])]] if str(steps[0]) in wanted else None
            row = steps[1] if len(steps) > 1 and isinstance(steps[1], int) else None
            return None if column is None else column.span(row)

        self.elsewhere.append(Elsewhere(path, file, span_of))
        identity: dict[str, Json] = {"sha256": sha256(self.files[ref]), "columns": dict(wanted)}
        self.identities[path] = {FROM: identity}
        return {axis: table[name].values for axis, name in wanted.items()}

    def _table(self, ref: str, only: frozenset[str] | None, path: TreePath) -> Table | None:
        if (ref, only) not in self._tables:
            self._tables[ref, only] = self._read_table(ref, only, path)
        elif self._tables[ref, only] is None:
            self.bad.append(path[:-3])
        return self._tables[ref, only]

    def _read_table(self, ref: str, only: frozenset[str] | None, path: TreePath) -> Table | None:
        try:
            self.files[ref] = self._read(ref)
        except CircuitFileError as error:
            self._say(path, error.code, error.message, error.hint)
            return None
        table, mistakes = read_table(self.files[ref], ref, only)
        file = beside(self._source.file, ref)
        self.diagnostics += [_diagnostic(file, mistake) for mistake in mistakes]
        return None if mistakes else table

    def _wanted(
        self, table: Table, group: Mapping[str, Any], path: TreePath
    ) -> dict[str, str] | None:
        """Columns by the axes that they are; None where `columns` cannot be understood."""
        given = group.get("columns", list(table))
        where = (*path, "columns")
        if isinstance(given, list) and given and all(isinstance(name, str) for name in given):
            wanted = {name: name for name in given}
            steps: dict[str, str | int] = {name: i for i, name in enumerate(given)}
            if len(wanted) < len(given):
                self._say(where, "S308", "`columns` names a column twice", "")
        elif isinstance(given, dict) and given and all(isinstance(n, str) for n in given.values()):
            wanted, steps = dict(given), {name: axis for axis, name in given.items()}
        else:
            text = f"`columns` must be a list of columns, or axes to columns, got {shown(given)}"
            self._say(where, "S203", text, "write `columns: [theta, phi]`")
            return None
        for name in wanted.values():
            if name not in table:
                hint = nearest(name, table) or f"its columns are {', '.join(list(table)[:8])}"
                self._say((*where, steps[name]), "S313", f"there is no column `{name}`", hint)
        return wanted

    def _say(
        self, path: TreePath, code: str, text: str, hint: str = "", *, on_key: bool = False
    ) -> None:
        self.diagnostics.append(self._source.diagnose(Problem(path, code, text, hint, on_key)))


def _named(columns: Any) -> frozenset[str] | None:
    """The columns that a group takes; None where it takes all, or cannot be understood."""
    given = columns.values() if isinstance(columns, dict) else columns
    if not isinstance(columns, dict | list) or not all(isinstance(name, str) for name in given):
        return None
    return frozenset(given)


def _diagnostic(file: str, mistake: Mistake) -> Diagnostic:
    return Diagnostic(file, mistake.span, mistake.code, mistake.message, mistake.hint)
