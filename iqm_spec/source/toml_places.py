"""Where the keys and values of a TOML text stand; tomllib keeps no places.

A walk over text that tomllib has accepted, so it need not refuse anything, only keep its feet.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

from iqm_spec.source.places import Branch, Place, pack

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


def locate_toml(text: str) -> Branch:
    """Places of everything in `text`, which tomllib has accepted."""
    return _Walker(text).walk()


class _Lost(Exception):
    """The text is not what tomllib accepted; the places found so far stand."""


class _Walker:
    """A cursor over the text, and the tree of places that grows behind it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def walk(self) -> Branch:
        """Places of the whole text."""
        root = Branch(pack(1, 1, 0), {})
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

    def _header(self, root: Branch) -> Branch:
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
            return _append(parent, name, name_place, place)
        return _descend(parent, [(name, name_place)])

    def _pair(self, table: Branch) -> None:
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

    def _value(self) -> Branch | Place:
        start = self.at
        char = self.text[start : start + 1]
        if char == "[":
            return self._array(start)
        if char == "{":
            return self._inline(start)
        match = (_STRING if char in "\"'" and char else _BARE).match(self.text, start)
        if match is None or not match[0].strip():
            raise _Lost
        self.at = match.end()
        return self._place(start, start + len(match[0].rstrip()))

    def _array(self, start: int) -> Branch:
        children: list[Branch | Place] = []
        self.at += 1
        while self._skip() and self.text[self.at] != "]":
            children.append(self._value())
            self._skip()
            if not self.text.startswith(",", self.at):
                break
            self.at += 1
        self._expect("]")
        return Branch(self._place(start, self.at), children)

    def _inline(self, start: int) -> Branch:
        table = Branch(0, {})
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


def _unquoted(part: str) -> str:
    if part[0] not in "\"'":
        return part
    try:
        return str(tomllib.loads(f"x = {part}")["x"])
    except tomllib.TOMLDecodeError:
        raise _Lost from None


def _descend(branch: Branch, keys: list[tuple[str, Place]]) -> Branch:
    """The table that `keys` lead to, made where it is not there; the last of an array of tables."""
    for name, place in keys:
        if not isinstance(branch.children, dict):
            raise _Lost
        branch.keys.setdefault(name, place)
        child = branch.children.setdefault(name, Branch(place, {}))
        if isinstance(child, Branch) and isinstance(child.children, list) and child.children:
            child = child.children[-1]
        if not isinstance(child, Branch):
            raise _Lost
        branch = child
    return branch


def _append(parent: Branch, name: str, name_place: Place, place: Place) -> Branch:
    """A new table at the end of the array of tables `name`."""
    if not isinstance(parent.children, dict):
        raise _Lost
    parent.keys.setdefault(name, name_place)
    array = parent.children.setdefault(name, Branch(place, []))
    if not isinstance(array, Branch) or not isinstance(array.children, list):
        raise _Lost
    table = Branch(place, {})
    array.children.append(table)
    return table
