"""Collects mistakes while a spec is checked: places them in the file, and keeps a flood short."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from iqm_spec.diagnostics import Diagnostic, Problem, TreePath
from iqm_spec.json_types import Json
from iqm_spec.model import CircuitSpec
from iqm_spec.source import Source
from iqm_spec.sweep.template import TemplateError, axes_in

_MOST_ALIKE = 3


class Reporter:
    """Turns problems into diagnostics of one source; says at most three times what is alike."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._found: dict[tuple[object, ...], Diagnostic] = {}
        self._alike: dict[tuple[TreePath, str], list[Problem]] = {}

    def __call__(self, problem: Problem) -> None:
        """Report one problem; the fourth alike at one place is only counted."""
        alike = self._alike.setdefault((problem.path, problem.code), [])
        if any(problem.message == other.message for other in alike[:_MOST_ALIKE]):
            return
        alike.append(problem)
        if len(alike) <= _MOST_ALIKE:
            self.add(self.source.diagnose(problem))

    def add(self, diagnostic: Diagnostic) -> None:
        """Report a mistake that has its place already, in a circuit file for instance."""
        key = (diagnostic.file, diagnostic.span, diagnostic.code, diagnostic.message)
        self._found.setdefault(key, diagnostic)

    def diagnostics(self) -> Iterator[Diagnostic]:
        """Everything reported, with a last line for what was only counted."""
        yield from self._found.values()
        for alike in self._alike.values():
            more = len(alike) - _MOST_ALIKE
            if more > 0:
                text = f"the same error at {more:,} more point{'s' if more > 1 else ''}"
                yield self.source.diagnose(evolve(alike[0], message=text, hint=""))

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self._found)


def place(source: Source, circuit: CircuitSpec, field: str) -> TreePath:
    """Where a circuit's field stands: in its entry, or at the top where it comes from there."""
    key = circuit.kind.value if field == "ref" else field
    own = (*circuit.path, key)
    if has(source.tree, own):
        return own
    return (key,) if has(source.tree, (key,)) else circuit.path


def has(tree: Json, path: TreePath) -> bool:
    """Whether `path` leads to a value of `tree`."""
    for step in path:
        try:
            tree = tree[step]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def leaf_using(value: Json, axis: str, path: TreePath) -> TreePath:
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
                return leaf_using(item, axis, (*path, step))
        except TemplateError:
            continue
    return path
