"""Collects problems while a spec is checked: locates them, and limits how often alike ones show."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from iqm_spec.diagnostics import Diagnostic, Problem, TreePath
from iqm_spec.json_types import Json
from iqm_spec.model import CircuitSpec
from iqm_spec.source import Source
from iqm_spec.source.source import path_exists
from iqm_spec.spec.template import TemplateError, axes_in

_MAX_ALIKE = 3


class Reporter:
    """Turns problems into diagnostics of one source; at most three alike at one place."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._diagnostics: dict[tuple[object, ...], Diagnostic] = {}
        self._alike: dict[tuple[TreePath, str], list[Problem]] = {}

    def __call__(self, problem: Problem) -> None:
        """Report one problem; the fourth alike at one place is only counted."""
        alike = self._alike.setdefault((problem.path, problem.code), [])
        if any(problem.message == other.message for other in alike[:_MAX_ALIKE]):
            return
        alike.append(problem)
        if len(alike) <= _MAX_ALIKE:
            self.add(self.source.diagnose(problem))

    def add(self, diagnostic: Diagnostic) -> None:
        """Report a mistake that is located already, in a circuit file for instance."""
        key = (diagnostic.file, diagnostic.span, diagnostic.code, diagnostic.message)
        self._diagnostics.setdefault(key, diagnostic)

    def diagnostics(self) -> Iterator[Diagnostic]:
        """Everything reported, with a last line for what was only counted."""
        yield from self._diagnostics.values()
        for alike in self._alike.values():
            more = len(alike) - _MAX_ALIKE
            if more > 0:
                text = f"the same error at {more:,} more point{'s' if more > 1 else ''}"
                yield self.source.diagnose(evolve(alike[0], message=text, hint=""))

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self._diagnostics)


def field_path(source: Source, circuit: CircuitSpec, field: str) -> TreePath:
    """Where a circuit's field stands: in its entry, or at the top where it comes from there."""
    key = circuit.kind.value if field == "ref" else field
    own = (*circuit.path, key)
    if path_exists(source.tree, own):
        return own
    return (key,) if path_exists(source.tree, (key,)) else circuit.path


def path_using_axis(value: Json, axis: str, path: TreePath) -> TreePath:
    """The place below `path` of the string that uses `axis`, or `path` itself."""
    if isinstance(value, dict):
        items: list[tuple[str | int, Json]] = list(value.items())
    elif isinstance(value, list | tuple):
        items = list(enumerate(value))
    else:
        return path
    for step, item in items:
        try:
            if axis in axes_in(item):
                return path_using_axis(item, axis, (*path, step))
        except TemplateError:
            continue
    return path
