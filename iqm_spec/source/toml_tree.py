"""TOML text to a tree of plain data: tomllib's values, held to the same rules as YAML's."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from iqm_spec.canonical import LARGEST_INTEGER
from iqm_spec.diagnostics import Span, TreePath
from iqm_spec.json_types import Json
from iqm_spec.source.limits import MOST_DEPTH, MOST_MISTAKES, MOST_NODES
from iqm_spec.source.places import Mistake, find, line_of, unpack
from iqm_spec.source.scalars import ScalarError, number, plain_text, too_large
from iqm_spec.source.toml_places import STRING_OR_COMMENT, locate_toml

_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)\Z", re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
# a key of too many dotted parts; tomllib's time grows with their square
_LONG_KEY = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{MOST_DEPTH}}}")
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
        message = f"a key of more than {MOST_DEPTH} parts"
        return Mistake(Span(line, 1, 2), "S109", message)
    depth = 0
    for match in _BRACKET.finditer(skeleton):
        depth = max(0, depth + (1 if match[0] in "[{" else -1))
        if depth > MOST_DEPTH:
            line = skeleton.count("\n", 0, match.start()) + 1
            message = f"values lie more than {MOST_DEPTH} deep inside each other here"
            return Mistake(Span(line, 1, 2), "S109", message)
    return None


def _blank(match: re.Match[str]) -> str:
    """Line ends of a string or comment, and a letter in a string's place."""
    letter = "" if match[0][0] == "#" else "s"
    return letter + "\n" * match[0].count("\n")


def _syntax(error: tomllib.TOMLDecodeError, text: str) -> Mistake:
    told = _PLACE.match(str(error))
    message = told[1] if told else str(error)
    if told and told[2]:
        line, column = int(told[2]), int(told[3])
    else:
        lines = text.rstrip("\n").split("\n")
        line, column = len(lines), len(lines[-1]) + 1
    hint = next((words for start, words in _HINTS if message.startswith(start)), "")
    if message.startswith(_TWICE):
        span = _key_of_line(line, text)
        return Mistake(span, "S103", f"this is not TOML: {message}", hint)
    return Mistake(Span(line, column, column + 1), "S102", f"this is not TOML: {message}", hint)


def _key_of_line(line: int, text: str) -> Span:
    """The key of a pair, or a table's header: tomllib names the end of its line."""
    source = text.split("\n")[line - 1]
    key = source.partition("=")[0].rstrip()
    start = len(key) - len(key.lstrip()) + 1
    return Span(line, start, max(start + 1, len(key) + 1))


def _settle(tree: dict[str, Any], text: str) -> list[Mistake]:
    """Make whole-number floats integers, in place, and collect what may not stand in a spec."""
    mistakes: list[Mistake] = []
    stack: list[tuple[Any, TreePath]] = [(tree, ())]
    nodes = 0
    while stack:
        container, path = stack.pop()
        nodes += len(container)
        if nodes > MOST_NODES or len(path) >= MOST_DEPTH:
            message = f"the file holds more than {MOST_NODES:,} values, or lies too deep"
            return [Mistake(Span(1, 1, 1), "S109", message)]
        for key, value in _items(container):
            if isinstance(value, dict | list):
                stack.append((value, (*path, key)))
            if len(mistakes) == MOST_MISTAKES:
                break
            try:
                plain_text(key if isinstance(key, str) else "")
                container[key] = _scalar(value)
            except ScalarError as error:
                span = _span(text, (*path, key))
                mistakes.append(Mistake(span, error.code, error.message, error.hint))
    return sorted(mistakes, key=lambda mistake: mistake.span)


def _items(container: Any) -> Iterator[tuple[Any, Any]]:
    return iter(container.items() if isinstance(container, dict) else enumerate(container))


def _scalar(value: Any) -> Json:
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            hint = "a spec holds finite numbers only"
            raise ScalarError("S106", f"{value} is not a finite number", hint)
        return number(value)
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise too_large("this integer")
    if isinstance(value, date | datetime | time):
        raise ScalarError("S104", "dates and times have no meaning in a spec", "put it in quotes")
    return value  # type: ignore[no-any-return]


def _span(text: str, path: TreePath) -> Span:
    place = find(locate_toml(text), path)
    return unpack(place, len(text.split("\n")[line_of(place) - 1].rstrip()))
