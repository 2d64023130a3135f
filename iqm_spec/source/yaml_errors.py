"""The YAML parser's complaints in words that say what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from iqm_spec.diagnostics import Span
from iqm_spec.source.places import Mistake

if TYPE_CHECKING:
    import yaml

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
_COLON = 'put a text that holds ": " in quotes'
_OF_NO_USE = "while scanning for the next token"


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
    hint = next((told for words, told in _HINTS if words in problem), "")
    if _BARE_PLACEHOLDER.search(source):
        hint = 'between braces and brackets put a placeholder in quotes: "${axis}"'
    elif "mapping values are not allowed" in problem:
        first = ":" not in source[: column - 1]
        hint = "does the line above lack a colon?" if first else _COLON
    return Mistake(span, "S102", f"this is not YAML: {problem}{_context(error, text)}", hint)


def _context(error: yaml.YAMLError, text: str) -> str:
    """What was open when the parser gave up, with its line."""
    context, mark = getattr(error, "context", None), getattr(error, "context_mark", None)
    if not context or mark is None or context == _OF_NO_USE:
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
