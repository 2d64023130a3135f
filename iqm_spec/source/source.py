"""A spec file that has been read: its data, and where each key and value of it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from attrs import field, frozen

from iqm_spec.diagnostics import Diagnostic, Problem, Span, TreePath
from iqm_spec.json_types import Json
from iqm_spec.source import places
from iqm_spec.source.places import Branch


@frozen
class Patch:
    """A value that did not come from the file but from a `--set PATH=VALUE`.

    `line` counts the overrides from 1; the spans are in the override's text, whose file is `--set`.
    """

    path: TreePath
    key: Span
    value: Span


@frozen
class Elsewhere:
    """Values at and below `path` that stand in another file.

    `span_of` gives the place of what lies at the further steps of a path, None where it has none.
    """

    path: TreePath
    file: str
    span_of: Callable[[TreePath], Span | None] = field(eq=False, repr=False)


@frozen
class Source:
    """The data of one spec file. `file` is its path as given; `folder` is absolute and resolved.

    `text` is the file's text with `\\n` line ends and without a byte order mark. `tree` is plain
    JSON data, `patches` the overrides in it. Places are found in the text when first asked for.
    `base` is the file that it extends, whose fields are in the tree, `elsewhere` tells of values of
    data files, `files` are the bytes of all these by their paths relative to the spec.
    """

    file: str
    folder: Path
    text: str
    tree: Mapping[str, Json]
    format: str
    patches: tuple[Patch, ...] = ()
    base: Source | None = None
    elsewhere: tuple[Elsewhere, ...] = ()
    files: Mapping[str, bytes] = field(factory=dict, eq=False, repr=False)

    @property
    def overridden(self) -> dict[str, Json]:
        """The values that came from `--set`, by their paths."""
        found: dict[str, Json] = {}
        for patch in self.patches:
            value: Any = self.tree
            for step in patch.path:
                value = value[step]
            found[".".join(map(str, patch.path))] = value
        return found

    def span(self, path: TreePath) -> Span:
        """Place of the value at `path`, or of its nearest ancestor that has a place."""
        return self._span(path, on_key=False)

    def diagnose(self, problem: Problem) -> Diagnostic:
        """`problem` with its file and place."""
        patch = self._patch(problem.path)
        if patch is None:
            file, span = self._place(problem)
        else:
            own = len(problem.path) == len(patch.path)
            file, span = "--set", patch.key if problem.on_key and own else patch.value
        return Diagnostic(file, span, problem.code, problem.message, problem.hint)

    def _place(self, problem: Problem) -> tuple[str, Span]:
        """File and place of a problem that no override is to blame for."""
        for part in self.elsewhere:
            depth = len(part.path)
            inside = len(problem.path) > depth and problem.path[:depth] == part.path
            span = part.span_of(problem.path[depth:]) if inside else None
            if span is not None:
                return part.file, span
        owner = self if self.base is None or self._is_own(problem.path) else self.base
        return owner.file, owner._span(problem.path, on_key=problem.on_key)

    def _is_own(self, path: TreePath) -> bool:
        """Whether what is at `path`, or would be, is this file's and not the base's."""
        own, base = _locate(self.text, self.format), self.base
        for depth in range(1, len(path) + 1):
            if not places.has(own, path[:depth]):
                above = _under(self.tree, path[: depth - 1])
                there = base is not None and places.has(
                    _locate(base.text, base.format), path[:depth]
                )
                # a list of this file stands in place of the base's
                return not (there and isinstance(above, Mapping))
        return True

    def line(self, number: int) -> str | None:
        """The text of line `number`, counted from 1."""
        lines = _lines(self.text)
        return lines[number - 1] if 0 < number <= len(lines) else None

    def _span(self, path: TreePath, *, on_key: bool) -> Span:
        place = places.find(_locate(self.text, self.format), path, on_key=on_key)
        line = self.line(places.line_of(place))
        return places.unpack(place, len(line.rstrip()) if line else 0)

    def _patch(self, path: TreePath) -> Patch | None:
        """The last override that put what is at `path`, or something around it, in place."""
        for patch in reversed(self.patches):
            if path[: len(patch.path)] == patch.path:
                return patch
        below = [patch for patch in self.patches if patch.path[: len(path)] == path]
        made = bool(below) and not any(
            places.has(_locate(one.text, one.format), path) for one in (self, self.base) if one
        )
        return below[-1] if made else None


def _under(tree: Any, path: TreePath) -> Any:
    for step in path:
        try:
            tree = tree[step]
        except (KeyError, IndexError, TypeError):
            return None
    return tree


def beside(file: str, ref: str) -> str:
    """A file that a spec names, as it is shown: in the folder of the spec's own path."""
    folder, slash, _ = file.rpartition("/")
    return f"{folder}{slash}{ref}"


@lru_cache(maxsize=4)
def _locate(text: str, form: str) -> Branch:
    if form == "toml":
        from iqm_spec.source.toml_places import locate_toml

        return locate_toml(text)
    from iqm_spec.source.yaml_tree import locate_yaml

    return locate_yaml(text)


@lru_cache(maxsize=4)
def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.split("\n"))
