"""What an unquoted YAML scalar means: the core schema of YAML 1.2, less what readers disagree on.

YAML 1.1 readers take `010` for 8, `1:30` for 90, `on` for true and `1_000` for 1000; YAML 1.2
readers do not. Whatever two readers would read differently is refused, with what to write instead.
"""

from __future__ import annotations

import json
import re

from iqm_spec.canonical import LARGEST_INTEGER
from iqm_spec.json_types import Json, Scalar

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_SWITCHES = {"on": "true", "yes": "true", "y": "true", "off": "false", "no": "false", "n": "false"}
_NOT_FINITE = re.compile(r"[-+]?\.?(?:inf|infinity|nan)\Z", re.IGNORECASE)
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?\Z")
_BASED = re.compile(r"[-+]?0[xXoObB][0-9a-fA-F_]+\Z")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9]+(?::[0-9]{1,2})+(?:\.[0-9]*)?\Z")
_NUMBERS = (_INTEGER, _FLOAT, _LEADING_ZERO, _BASED, _SEXAGESIMAL)
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?\Z")
_BARE = re.compile(r"(?![-?:&*!|>'\"%@`#])(?:(?!:(?: |\Z))[^\s,\[\]{}]| (?=[^\s#]))+\Z")
"""What no sign of YAML's makes anything else of, in a list or mapping neither."""

_NUMBER_STARTS = frozenset("0123456789+-.")


class ScalarError(ValueError):
    """A scalar that is refused: `code`, the text of the exception, and `hint`."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def parse_scalar(text: str) -> Scalar | None:
    """The value of a plain scalar; `ScalarError` where it is ambiguous or not representable."""
    if text[:1] in _NUMBER_STARTS and text:
        if _INTEGER.match(text):
            if len(text) > 17 or abs(int(text)) > LARGEST_INTEGER:
                raise integer_too_large(text)
            return int(text)
        if _FLOAT.match(text):
            value = float(text)
            if value in (float("inf"), float("-inf")):
                raise ScalarError("S106", f"{text[:40]} is too large for a number", "")
            return whole_as_integer(value)
        if _NOT_FINITE.match(text):
            raise _not_finite(text)
        plain = text.replace("_", "")  # where an underscore may stand differs from reader to reader
        if plain != text and any(form.match(plain) for form in _NUMBERS):
            hint = f'write {plain}; write "{text}" in quotes if it is a text'
            raise ScalarError("S104", f"`{text}` is a number to some YAML readers only", hint)
        quoted = f'write "{text}" in quotes if it is a text'
        if _LEADING_ZERO.match(text):
            stripped = text.lstrip("+-0") or "0"
            hint = f"{quoted} (a bit string), or {stripped} if it is a number"
            raise ScalarError("S104", f"`{text}` is a number with leading zeros", hint)
        if _BASED.match(text):
            raise ScalarError(
                "S104", f"`{text}` is a number in another base", f"write it out; {quoted}"
            )
        if _SEXAGESIMAL.match(text):
            raise ScalarError("S104", f"`{text}` is a base-60 number to some YAML readers", quoted)
        if _DATE.match(text):
            raise ScalarError("S104", f"`{text}` is a date to some YAML readers", quoted)
        return text
    if text in _WORDS:
        return _WORDS[text]
    lower = text.lower()
    if lower in _SWITCHES:
        hint = f'write {_SWITCHES[lower]}, or "{text}" in quotes for the text'
        raise ScalarError("S104", f"`{text}` is true or false to some YAML readers only", hint)
    if _NOT_FINITE.match(text):
        raise _not_finite(text)
    return text


def is_plain_scalar(text: str) -> bool:
    """Whether `text` without quotes is that very text."""
    try:
        return parse_scalar(text) == text
    except ScalarError:
        return False


def as_yaml(value: Json) -> str:
    """A value as it may stand in a YAML spec, on one line; texts in quotes where they need them."""
    if (
        isinstance(value, str)
        and value.isprintable()
        and is_plain_scalar(value)
        and _BARE.match(value)
    ):
        return value
    text = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def checked_text(text: str) -> str:
    """`text` itself; `ScalarError` where an escape put something into it that no text may hold."""
    if "\0" in text:
        raise ScalarError("S102", "a text holds the character U+0000", "remove the escape")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise ScalarError("S102", "a text holds half a character", "remove the escape")
    return text


def whole_as_integer(value: float) -> int | float:
    """A finite float as a spec holds it: whole numbers are integers (1e3 is 1000, -0.0 is 0).

    `ScalarError` for a whole number that is too large to be held exactly.
    """
    if not value.is_integer():
        return value
    if abs(value) > LARGEST_INTEGER:
        raise integer_too_large(repr(value))
    return int(value)


def integer_too_large(text: str) -> ScalarError:
    """The refusal of an integer that JSON numbers do not hold exactly."""
    return ScalarError(
        "S106",
        f"{text[:24]}{'...' if len(text) > 24 else ''} is too large: whole numbers go up to"
        " 2^53 - 1, the largest that every reader holds exactly",
        "put it in quotes if it is a text",
    )


def _not_finite(text: str) -> ScalarError:
    hint = f'a spec holds finite numbers only; write "{text}" in quotes if it is a text'
    return ScalarError("S106", f"`{text}` is not a finite number", hint)
