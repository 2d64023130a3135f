"""YAML text to a tree of plain data, from the parser's events and without recursion.

A file cannot make this deep, exponential or surprising: aliases, anchors, tags and merge keys are
refused where they stand, and every mistake that leaves the rest readable is collected. What the
parser itself refuses is reported with a hint at what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import define

from iqm_spec.diagnostics import Span
from iqm_spec.json_types import Json
from iqm_spec.source.places import Place, PlaceTree, pack, unpack
from iqm_spec.source.scalars import ScalarError, checked_text, parse_scalar
from iqm_spec.source.text import MAX_DEPTH, MAX_MISTAKES, MAX_NODES, Mistake

if TYPE_CHECKING:
    import yaml


_MERGE = "<<"
_AXIS_LETTERS = frozenset("nNyY")
"""Keys that only YAML 1.1's text, and no reader in use, takes for true or false: axes have them."""


def parse_yaml(text: str) -> tuple[Json, list[Mistake]]:
    """The data of `text`, and its mistakes; the data is of use only where there are none."""
    reader = _YamlReader(text, locate=False)
    reader.run()
    return (reader.documents[0] if reader.documents else None), reader.mistakes


def locate_yaml(text: str) -> PlaceTree:
    """Places of everything in `text`, which `parse_yaml` has accepted."""
    reader = _YamlReader(text, locate=True)
    reader.run()
    roots = reader.places.children
    root = roots[0] if isinstance(roots, list) and roots else None
    return root if isinstance(root, PlaceTree) else PlaceTree(pack(1, 1, 1), {})


@define
class _OpenNode:
    """A mapping or list that is still open; `at_key` is true where a mapping's next node is a key.

    `key` is None for a value that is read and dropped, after a key that was refused.
    """

    values: Any
    branch: PlaceTree
    at_key: bool
    key: str | None = None


class _StopReading(Exception):
    """No more is read; the mistakes so far are reported."""


class _YamlReader:
    """One pass over the events of a text; with `locate`, places are recorded too."""

    def __init__(self, text: str, *, locate: bool) -> None:
        self.text = text
        self.locate = locate
        self.mistakes: list[Mistake] = []
        self.documents: list[Json] = []
        self.places = PlaceTree(pack(1, 1, 1), [])
        self.stack = [_OpenNode(self.documents, self.places, at_key=False)]
        self.nodes = 0

    def run(self) -> None:
        """Read the text; mistakes are in `mistakes` afterwards."""
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        handlers: dict[type[yaml.Event], Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.SequenceStartEvent: self._open,
            yaml.MappingStartEvent: self._open,
            yaml.SequenceEndEvent: self._close,
            yaml.MappingEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        try:
            for event in yaml.parse(self.text, Loader=loader):
                handler = handlers.get(type(event))
                if handler is not None:
                    handler(event)
        except yaml.YAMLError as error:
            self.mistakes.append(explain(error, self.text))
        except _StopReading:
            return

    def _report(self, event: yaml.Event, code: str, message: str, hint: str = "") -> None:
        line, column, width = _extent(event)
        width = max(width, 1)
        self.mistakes.append(Mistake(Span(line, column, column + width), code, message, hint))
        if len(self.mistakes) >= MAX_MISTAKES:
            raise _StopReading

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        if self.documents:
            self._report(
                event,
                "S110",
                "a second YAML document begins here; a spec is one document",
                "split the file, or remove the `---`",
            )
            raise _StopReading

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._count(event)
        self._refuse_decoration(event)
        if self.stack[-1].at_key:
            frame = self.stack[-1]
            frame.at_key = False
            frame.key = None
            key = event.value if event.value in _AXIS_LETTERS else self._value(event)
            if not event.style and event.value == _MERGE:
                hint = "write the fields out; circuits share what stands at the top level"
                self._report(event, "S107", "merge keys (`<<`) are not part of the language", hint)
            elif not isinstance(key, str):
                hint = f'write "{event.value}" in quotes' if event.value else "give it a name"
                self._report(event, "S105", f"the key `{event.value}` is not a text", hint)
            elif key in frame.values:
                hint = "keep one of the two"
                self._report(event, "S103", f"`{key}` is given twice in this mapping", hint)
            else:
                frame.key = key
                if self.locate:
                    frame.branch.keys[key] = pack(*_extent(event))
        else:
            place = pack(*_extent(event)) if self.locate else 0
            self._attach(self._value(event), place)

    def _value(self, event: yaml.ScalarEvent) -> Json:
        text: str = event.value
        try:
            return checked_text(text) if event.style else parse_scalar(text)
        except ScalarError as error:
            self._report(event, error.code, error.message, error.hint)
            return text

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        import yaml

        self._count(event)
        self._refuse_decoration(event)
        if len(self.stack) > MAX_DEPTH:
            message = f"values lie more than {MAX_DEPTH} deep inside each other here"
            self._report(event, "S109", message)
            raise _StopReading
        if self.stack[-1].at_key:
            self._report(event, "S105", "a list or mapping cannot be a key", "use a text")
        mapping = isinstance(event, yaml.MappingStartEvent)
        line, column, _ = _extent(event)
        branch = PlaceTree(pack(line, column, 0) if self.locate else 0, {} if mapping else [])
        self.stack.append(_OpenNode({} if mapping else [], branch, at_key=mapping))

    def _close(self, event: yaml.CollectionEndEvent) -> None:
        frame = self.stack.pop()
        if self.locate:
            start = unpack(frame.branch.place)
            end: Any = event.end_mark
            same = end.line + 1 == start.line and end.column + 1 > start.column
            frame.branch.place = pack(
                start.line, start.column, end.column + 1 - start.column if same else 0
            )
        self._attach(frame.values, frame.branch)

    def _attach(self, value: Json, place: PlaceTree | Place) -> None:
        frame = self.stack[-1]
        values, children = frame.values, frame.branch.children
        if isinstance(values, list):
            values.append(value)
            if self.locate and isinstance(children, list):
                children.append(place)
            return
        if frame.at_key:  # a collection stood where a key belongs: its value is dropped
            frame.at_key, frame.key = False, None
            return
        if frame.key is not None:
            values[frame.key] = value
            if self.locate and isinstance(children, dict):
                children[frame.key] = place
        frame.at_key = True

    def _alias(self, event: yaml.AliasEvent) -> None:
        hint = "write the value out; circuits share what stands at the top level"
        self._report(event, "S107", f"aliases (`*{event.anchor}`) are not allowed", hint)
        if self.stack[-1].at_key:
            self.stack[-1].at_key, self.stack[-1].key = False, None
        else:
            self._attach(None, 0)

    def _refuse_decoration(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            hint = f"remove `&{event.anchor}`"
            self._report(event, "S107", f"anchors (`&{event.anchor}`) are not allowed", hint)
        tag = getattr(event, "tag", None)
        if tag is not None:
            hint = "remove the tag; write plain values"
            self._report(event, "S107", "tags (`!...`) are not allowed", hint)

    def _count(self, event: yaml.Event) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self._report(event, "S109", f"the file holds more than {MAX_NODES:,} values")
            raise _StopReading


def _extent(event: yaml.Event) -> tuple[int, int, int]:
    """Line, column and width of an event; width 0 where it ends on another line, or is empty."""
    start: Any = event.start_mark
    end: Any = event.end_mark
    width = end.column - start.column if start.line == end.line else 0
    return start.line + 1, start.column + 1, width


# --- what the parser refuses ---------------------------------------------------------------------

_TAB_INDENT = re.compile(r"[ ]*\t")
_BARE_PLACEHOLDER = re.compile(r"""[\[{,:]\s*\$\{""")
_HINTS = (
    ("could not find expected ':'", "every line here is `key: value`; is a colon missing?"),
    ("did not find expected ',' or", "is a comma, bracket or brace missing before here?"),
    ("did not find expected node content", "a bracket that is opened must be closed"),
    ("did not find expected key", "check the indentation and the quotes of the lines above"),
    ("did not find expected '-'", "the items of a list begin with `- ` in the same column"),
    ("unexpected end of stream", "a quote or bracket that is opened must be closed"),
    ("cannot start any token", "put a text that begins with this character in quotes"),
    ("unknown escape character", "in double quotes write \\\\ for a backslash"),
)


# what is not closed or lacks a colon matters, not where the parser noticed it
_FROM_THE_BEGINNING = ("end of stream", "could not find expected ':'")
_QUOTE_COLON = 'put a text that holds ": " in quotes'
_USELESS_CONTEXT = "while scanning for the next token"


def explain(error: yaml.YAMLError, text: str) -> Mistake:
    """The parser's `error` as a mistake with a place and a hint."""
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable")
    line, column = _place(error, problem, text)
    lines = text.split("\n")
    source = lines[line - 1] if line <= len(lines) else ""
    column = min(column, len(source) + 1)
    span = Span(line, column, column + 1)
    if _TAB_INDENT.match(source):
        hint = "indent with spaces"
        return Mistake(span, "S102", "a tab indents this line, which YAML does not allow", hint)
    hint = next((advice for words, advice in _HINTS if words in problem), "")
    if _BARE_PLACEHOLDER.search(source):
        hint = 'between braces and brackets put a placeholder in quotes: "${axis}"'
    elif "mapping values are not allowed" in problem:
        first = ":" not in source[: column - 1]
        hint = "does the line above lack a colon?" if first else _QUOTE_COLON
    return Mistake(span, "S102", f"this is not YAML: {problem}{_context(error, text)}", hint)


def _context(error: yaml.YAMLError, text: str) -> str:
    """What was open when the parser gave up, with its line."""
    context, mark = getattr(error, "context", None), getattr(error, "context_mark", None)
    if not context or mark is None or context == _USELESS_CONTEXT:
        return ""
    if mark.line > text.rstrip().count("\n"):  # nothing began there: the text has ended
        return ""
    return f" ({context}, which begins on line {mark.line + 1})"


def _place(error: yaml.YAMLError, problem: str, text: str) -> tuple[int, int]:
    mark, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    position = getattr(error, "position", None)
    if mark is None and isinstance(position, int):
        before = text[:position]
        return before.count("\n") + 1, position - before.rfind("\n")
    if mark is None or any(words in problem for words in _FROM_THE_BEGINNING):
        mark = context or mark
    last = text.rstrip().count("\n")
    if mark is not None and mark.line > last:
        mark = context  # at the end of the file: what began and did not end matters
    if mark is None or mark.line > last:
        return last + 1, max(1, len(text.rstrip()) - text.rstrip().rfind("\n") - 1)
    return mark.line + 1, mark.column + 1
