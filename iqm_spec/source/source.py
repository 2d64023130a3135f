"""A spec file that has been read: its data, and where each key and value of it stands."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from attrs import frozen

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
class Source:
    """The data of one spec file. `file` is its path as given; `folder` is absolute and resolved.

    `text` is the file's text with `\\n` line ends and without a byte order mark. `tree` is plain
    JSON data, `patches` the overrides in it. Places are found in the text when first asked for.
    """

    file: str
    folder: Path
    text: str
    tree: Mapping[str, Json]
    format: str
    patches: tuple[Patch, ...] = ()

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

    def key_span(self, path: TreePath) -> Span:
        """Place of the key that `path` ends with; a list item's own place."""
        return self._span(path, on_key=True)

    def diagnose(self, problem: Problem) -> Diagnostic:
        """`problem` with its file and place."""
        patch = self._patch(problem.path)
        if patch is None:
            file, span = self.file, self._span(problem.path, on_key=problem.on_key)
        else:
            own = len(problem.path) == len(patch.path)
            file, span = "--set", patch.key if problem.on_key and own else patch.value
        return Diagnostic(file, span, problem.code, problem.message, problem.hint)

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
        made = bool(below) and not places.has(_locate(self.text, self.format), path)
        return below[-1] if made else None


@lru_cache(maxsize=2)
def _locate(text: str, form: str) -> Branch:
    if form == "toml":
        from iqm_spec.source.toml_places import locate_toml

        return locate_toml(text)
    from iqm_spec.source.yaml_tree import locate_yaml

    return locate_yaml(text)


@lru_cache(maxsize=2)
def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.split("\n"))
