"""`{from: data.csv}` in a `zip`: the file's columns take the place of axes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import evolve, frozen

from iqm_spec.canonical import sha256
from iqm_spec.circuits import CircuitFileError
from iqm_spec.diagnostics import Diagnostic, Problem, Span, TreePath, nearest
from iqm_spec.json_types import Json
from iqm_spec.source import ExternalValues, Source, path_beside
from iqm_spec.source.source import FileReader
from iqm_spec.spec.data_files import DataTable, read_data_file
from iqm_spec.spec.phrases import describe_value

FROM = "from"
_FIELDS = (FROM, "columns")

_Group = tuple[TreePath, str, Mapping[str, Json]]
"""Place of a group, the path of its file relative to the spec, and its fields."""


@frozen
class FilledGroups:
    """A source whose data groups are axes; `bad` are the blocks of groups that could not be read.

    `identities` has for the place of each group what its axes come from: a sha256, no path.
    """

    source: Source
    diagnostics: tuple[Diagnostic, ...]
    bad: tuple[TreePath, ...]
    identities: Mapping[TreePath, Json]


def fill_data_groups(source: Source, read: FileReader) -> FilledGroups:
    """`source` with the columns of data files in place of the groups that name them."""
    tree: dict[str, Json] = dict(source.tree)
    groups = list(_groups_of(tree.get("sweep"), ("sweep",)))
    circuits = tree.get("circuits")
    for i, entry in enumerate(circuits if isinstance(circuits, list) else ()):
        if isinstance(entry, dict):
            groups += _groups_of(entry.get("sweep"), ("circuits", i, "sweep"))
    if not groups:
        return FilledGroups(source, (), (), {})
    reader = _DataGroups(source, read)
    for path, ref, group in groups:
        # replace what is at `path`, copying the containers on the way
        container: Any = tree
        for step in path[:-1]:
            container[step] = container[step].copy()
            container = container[step]
        container[path[-1]] = reader.axes(path, ref, group)
    source = evolve(
        source,
        tree=tree,
        external=(*source.external, *reader.external),
        files={**source.files, **reader.files},
    )
    return FilledGroups(source, tuple(reader.diagnostics), tuple(reader.bad), reader.identities)


def _groups_of(sweep: Json, path: TreePath) -> Iterator[_Group]:
    for b, block in enumerate(sweep if isinstance(sweep, list) else ()):
        groups = block.get("zip") if isinstance(block, dict) else None
        for g, group in enumerate(groups if isinstance(groups, list) else ()):
            if isinstance(group, dict) and isinstance(ref := group.get(FROM), str):
                yield (*path, b, "zip", g), ref, group


class _DataGroups:
    """Reads the data groups of one source, and collects what is wrong with them."""

    def __init__(self, source: Source, read: FileReader) -> None:
        self._source = source
        self._read = read
        self._tables: dict[tuple[str, frozenset[str] | None], DataTable | None] = {}
        self.files: dict[str, bytes] = {}
        self.diagnostics: list[Diagnostic] = []
        self.bad: list[TreePath] = []
        self.external: list[ExternalValues] = []
        self.identities: dict[TreePath, Json] = {}

    def axes(self, path: TreePath, ref: str, group: Mapping[str, Json]) -> dict[str, Json]:
        """The axes of one group by name; none, after a report, where there are none."""
        before = len(self.diagnostics)
        for name in group:
            if name not in _FIELDS:
                text = f"`{name}` cannot stand beside `from`: its axes are the file's columns"
                hint = nearest(name, _FIELDS) or "give it a group of its own"
                self._report((*path, name), "S201", text, hint, on_key=True)
        table = self._table(ref, _column_names(group.get("columns")), (*path, FROM))
        columns = None if table is None else self._columns_by_axis(table, group, path)
        if table is None or columns is None or len(self.diagnostics) > before:
            self.bad.append(path[:-2])
            return {}
        file = path_beside(self._source.file, ref)

        def span_of(steps: TreePath) -> Span | None:
            column = table[columns[str(steps[0])]] if str(steps[0]) in columns else None
            row = steps[1] if len(steps) > 1 and isinstance(steps[1], int) else None
            return None if column is None else column.span(row)

        self.external.append(ExternalValues(path, file, span_of))
        identity: dict[str, Json] = {"sha256": sha256(self.files[ref]), "columns": dict(columns)}
        self.identities[path] = {FROM: identity}
        return {axis: table[name].values for axis, name in columns.items()}

    def _table(self, ref: str, only: frozenset[str] | None, path: TreePath) -> DataTable | None:
        if (ref, only) not in self._tables:
            self._tables[ref, only] = self._read_table(ref, only, path)
        elif self._tables[ref, only] is None:
            self.bad.append(path[:-3])
        return self._tables[ref, only]

    def _read_table(
        self, ref: str, only: frozenset[str] | None, path: TreePath
    ) -> DataTable | None:
        try:
            self.files[ref] = self._read(ref)
        except CircuitFileError as error:
            self._report(path, error.code, error.message, error.hint)
            return None
        table, mistakes = read_data_file(self.files[ref], ref, only)
        file = path_beside(self._source.file, ref)
        self.diagnostics += [mistake.diagnostic(file) for mistake in mistakes]
        return None if mistakes else table

    def _columns_by_axis(
        self, table: DataTable, group: Mapping[str, Json], path: TreePath
    ) -> dict[str, str] | None:
        """Columns by the axes that they are; None where `columns` cannot be understood."""
        listed = group.get("columns", list(table))
        where = (*path, "columns")
        if isinstance(listed, list) and listed and all(isinstance(name, str) for name in listed):
            columns = {name: name for name in listed}
            steps: dict[str, str | int] = {name: i for i, name in enumerate(listed)}
            if len(columns) < len(listed):
                self._report(where, "S308", "`columns` names a column twice", "")
        elif (
            isinstance(listed, dict) and listed and all(isinstance(n, str) for n in listed.values())
        ):
            columns, steps = dict(listed), {name: axis for axis, name in listed.items()}
        else:
            got = describe_value(listed)
            text = f"`columns` must be a list of columns, or axes to columns, got {got}"
            self._report(where, "S203", text, "write `columns: [theta, phi]`")
            return None
        for name in columns.values():
            if name not in table:
                hint = nearest(name, table) or f"its columns are {', '.join(list(table)[:8])}"
                self._report((*where, steps[name]), "S313", f"there is no column `{name}`", hint)
        return columns

    def _report(
        self, path: TreePath, code: str, text: str, hint: str = "", *, on_key: bool = False
    ) -> None:
        self.diagnostics.append(self._source.diagnose(Problem(path, code, text, hint, on_key)))


def _column_names(columns: Json) -> frozenset[str] | None:
    """The columns that a group takes; None where it takes all, or cannot be understood."""
    if not isinstance(columns, dict | list):
        return None
    listed = list(columns.values() if isinstance(columns, dict) else columns)
    names = [name for name in listed if isinstance(name, str)]
    return frozenset(names) if len(names) == len(listed) else None
