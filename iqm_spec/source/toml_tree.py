"""TOML text to a tree of plain data: tomllib's values, checked by the same rules as YAML's.

tomllib keeps no places: a walk over text that it has accepted finds those of keys and values.
"""

from __future__ import annotations

import math
import re
import tomllib
from bisect import bisect_right
from datetime import date, datetime, time
from typing import Any

from iqm_spec.canonical import LARGEST_INTEGER
from iqm_spec.diagnostics import Span, TreePath
from iqm_spec.json_types import Json
from iqm_spec.source.places import Place, PlaceTree, find_place, line_of, pack, unpack
from iqm_spec.source.scalars import ScalarError, checked_text, integer_too_large, whole_as_integer
from iqm_spec.source.text import MAX_DEPTH, MAX_MISTAKES, MAX_NODES, Mistake

_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)\Z", re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
# a key of too many dotted parts; tomllib's time grows with their square
_LONG_KEY = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{MAX_DEPTH}}}")
_HINTS = (
    ("Cannot overwrite a value", "this key is given twice; keep one of the two"),
    ("Cannot declare", "this table is given twice; keep one of the two"),
    ("Invalid value", "put a text in quotes"),
    ("Expected '='", "every line here is `key = value`"),
    ("Unescaped '\\' in a string", "write \\\\ for a backslash, or use single quotes"),
)
_TWICE = ("Cannot overwrite a value", "Cannot declare", "Duplicate inline table key")


def parse_toml(text: str) -> tuple[Json, list[Mistake]]:
    """The data of `text`, and its mistakes; the data is of use only where there are none."""
    if deep := _too_deep(text):
        return None, [deep]
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None, [_syntax(error, text)]
    except (ValueError, RecursionError):  # an integer of thousands of digits; nests in nests
        return None, [
            Mistake(Span(1, 1, 1), "S109", "a number or a nest in this file is too large")
        ]
    return tree, _settle(tree, text)


def _too_deep(text: str) -> Mistake | None:
    """Refuses deep nests before tomllib, which recurses, meets them."""
    skeleton = STRING_OR_COMMENT.sub(_blank, text)
    if match := _LONG_KEY.search(skeleton):
        line = skeleton.count("\n", 0, match.start()) + 1
        message = f"a key of more than {MAX_DEPTH} parts"
        return Mistake(Span(line, 1, 2), "S109", message)
    depth = 0
    for match in _BRACKET.finditer(skeleton):
        depth = max(0, depth + (1 if match[0] in "[{" else -1))
        if depth > MAX_DEPTH:
            line = skeleton.count("\n", 0, match.start()) + 1
            message = f"values lie more than {MAX_DEPTH} deep inside each other here"
            return Mistake(Span(line, 1, 2), "S109", message)
    return None


def _blank(match: re.Match[str]) -> str:
    """Line ends of a string or comment, and a letter in a string's place."""
    letter = "" if match[0][0] == "#" else "s"
    return letter + "\n" * match[0].count("\n")


def _syntax(error: tomllib.TOMLDecodeError, text: str) -> Mistake:
    placed = _PLACE.match(str(error))
    message = placed[1] if placed else str(error)
    if placed and placed[2]:
        line, column = int(placed[2]), int(placed[3])
    else:
        lines = text.rstrip("\n").split("\n")
        line, column = len(lines), len(lines[-1]) + 1
    hint = next((words for start, words in _HINTS if message.startswith(start)), "")
    if message.startswith(_TWICE):
        source = text.split("\n")[line - 1]
        key = source.partition("=")[0].rstrip()
        start = len(key) - len(key.lstrip()) + 1
        span = Span(line, start, max(start + 1, len(key) + 1))
        return Mistake(span, "S103", f"this is not TOML: {message}", hint)
    return Mistake(Span(line, column, column + 1), "S102", f"this is not TOML: {message}", hint)


def _settle(tree: dict[str, Any], text: str) -> list[Mistake]:
    """Make whole-number floats integers, in place, and collect what may not stand in a spec."""
    mistakes: list[Mistake] = []
    stack: list[tuple[Any, TreePath]] = [(tree, ())]
    nodes = 0
    while stack:
        container, path = stack.pop()
        nodes += len(container)
        if nodes > MAX_NODES or len(path) >= MAX_DEPTH:
            message = f"the file holds more than {MAX_NODES:,} values, or lies too deep"
            return [Mistake(Span(1, 1, 1), "S109", message)]
        items = container.items() if isinstance(container, dict) else enumerate(container)
        for key, value in items:
            if isinstance(value, dict | list):
                stack.append((value, (*path, key)))
            if len(mistakes) == MAX_MISTAKES:
                break
            try:
                checked_text(key if isinstance(key, str) else "")
                container[key] = _scalar(value)
            except ScalarError as error:
                place = find_place(locate_toml(text), (*path, key))
                span = unpack(place, len(text.split("\n")[line_of(place) - 1].rstrip()))
                mistakes.append(Mistake(span, error.code, error.message, error.hint))
    return sorted(mistakes, key=lambda mistake: mistake.span)


def _scalar(value: Any) -> Json:
    if isinstance(value, str):
        return checked_text(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            hint = "a spec holds finite numbers only"
            raise ScalarError("S106", f"{value} is not a finite number", hint)
        return whole_as_integer(value)
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise integer_too_large("this integer")
    if isinstance(value, date | datetime | time):
        raise ScalarError("S104", "dates and times have no meaning in a spec", "put it in quotes")
    return value  # type: ignore[no-any-return]


# --- places --------------------------------------------------------------------------------------

_BASIC = r'"(?:[^"\\\n]|\\.)*+"?'
_LITERAL = r"'[^'\n]*+'?"
# a string of three quotes may end in up to two quotes of its own
_LONG_BASIC = r'"""(?:[^"\\]|\\[\s\S]|"{1,2}(?!"))*+(?:"{3,5}|\Z)'
_LONG_LITERAL = r"'''(?:[^']|'{1,2}(?!'))*+(?:'{3,5}|\Z)"
_ANY_STRING = f"{_LONG_BASIC}|{_LONG_LITERAL}|{_BASIC}|{_LITERAL}"

STRING_OR_COMMENT = re.compile(rf"{_ANY_STRING}|#[^\n]*+")
"""Matches every string and comment of a TOML text; one that is not closed, to its line's end."""

_STRING = re.compile(_ANY_STRING)
_BARE = re.compile(r"[^,\]}#\n]*+")
_BLANK = re.compile(r"(?:[ \t\n\r]|#[^\n]*)*+")
_PART = re.compile(rf"{_BASIC}|{_LITERAL}|[A-Za-z0-9_-]++")
_AROUND_DOT = re.compile(r"[ \t]*\.[ \t]*")


def locate_toml(text: str) -> PlaceTree:
    """Places of everything in `text`, which tomllib has accepted."""
    return _TomlWalker(text).walk()


class _Lost(Exception):
    """The text is not what tomllib accepted; the places read so far are used."""


class _TomlWalker:
    """A cursor over the text, and the tree of places that grows behind it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def walk(self) -> PlaceTree:
        """Places of all keys and values."""
        root = PlaceTree(pack(1, 1, 0), {})
        table = root
        try:
            while self._skip():
                if self.text[self.at] == "[":
                    table = self._header(root)
                else:
                    self._pair(table)
        except _Lost:
            return root
        return root

    def _skip(self) -> bool:
        """Pass blanks and comments; false at the end of the text."""
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at < len(self.text)

    def _place(self, start: int, end: int) -> Place:
        line = bisect_right(self.starts, start)
        begin = self.starts[line - 1]
        one_line = self.text.find("\n", start, end) < 0
        return pack(line, start - begin + 1, end - start if one_line else 0)

    def _expect(self, char: str) -> None:
        if not self.text.startswith(char, self.at):
            raise _Lost
        self.at += len(char)

    def _keys(self) -> list[tuple[str, Place]]:
        """The parts of a dotted key at the cursor."""
        parts: list[tuple[str, Place]] = []
        while True:
            match = _PART.match(self.text, self.at)
            if match is None:
                raise _Lost
            self.at = match.end()
            parts.append((_unquoted(match[0]), self._place(match.start(), match.end())))
            dot = _AROUND_DOT.match(self.text, self.at)
            if dot is None:
                return parts
            self.at = dot.end()

    def _header(self, root: PlaceTree) -> PlaceTree:
        """`[table]` or `[[array of tables]]`: the table that the next pairs belong to."""
        start = self.at
        many = self.text.startswith("[[", start)
        self.at += 2 if many else 1
        self._skip()
        keys = self._keys()
        self._skip()
        self._expect("]]" if many else "]")
        place = self._place(start, self.at)
        parent = _descend(root, keys[:-1])
        name, name_place = keys[-1]
        if many:
            # a new table at the end of the array of tables `name`
            if not isinstance(parent.children, dict):
                raise _Lost
            parent.keys.setdefault(name, name_place)
            array = parent.children.setdefault(name, PlaceTree(place, []))
            if not isinstance(array, PlaceTree) or not isinstance(array.children, list):
                raise _Lost
            table = PlaceTree(place, {})
            array.children.append(table)
            return table
        return _descend(parent, [(name, name_place)])

    def _pair(self, table: PlaceTree) -> None:
        keys = self._keys()
        self._skip()
        self._expect("=")
        self._skip()
        name, place = keys[-1]
        owner = _descend(table, keys[:-1])
        owner.keys.setdefault(name, place)
        value = self._value()
        if isinstance(owner.children, dict):
            owner.children.setdefault(name, value)

    def _value(self) -> PlaceTree | Place:
        start = self.at
        char = self.text[start : start + 1]
        if char == "[":
            children: list[PlaceTree | Place] = []
            self.at += 1
            while self._skip() and self.text[self.at] != "]":
                children.append(self._value())
                self._skip()
                if not self.text.startswith(",", self.at):
                    break
                self.at += 1
            self._expect("]")
            return PlaceTree(self._place(start, self.at), children)
        if char == "{":
            table = PlaceTree(0, {})
            self.at += 1
            while self._skip() and self.text[self.at] != "}":
                self._pair(table)
                self._skip()
                if not self.text.startswith(",", self.at):
                    break
                self.at += 1
            self._expect("}")
            table.place = self._place(start, self.at)
            return table
        match = (_STRING if char in "\"'" and char else _BARE).match(self.text, start)
        if match is None or not match[0].strip():
            raise _Lost
        self.at = match.end()
        return self._place(start, start + len(match[0].rstrip()))


def _unquoted(part: str) -> str:
    if part[0] not in "\"'":
        return part
    try:
        return str(tomllib.loads(f"x = {part}")["x"])
    except tomllib.TOMLDecodeError:
        raise _Lost from None


def _descend(branch: PlaceTree, keys: list[tuple[str, Place]]) -> PlaceTree:
    """The table that `keys` lead to, made where it is not there; the last of an array of tables."""
    for name, place in keys:
        if not isinstance(branch.children, dict):
            raise _Lost
        branch.keys.setdefault(name, place)
        child = branch.children.setdefault(name, PlaceTree(place, {}))
        if isinstance(child, PlaceTree) and isinstance(child.children, list) and child.children:
            child = child.children[-1]
        if not isinstance(child, PlaceTree):
            raise _Lost
        branch = child
    return branch
