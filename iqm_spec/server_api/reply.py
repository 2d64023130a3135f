"""An answer of a server, and values in it.

Status, headers and bytes are kept as they came; JSON and errors are read from them when they are
needed. A value that makes no sense is None: a server may say anything.
"""

from __future__ import annotations

import gc
import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

from attrs import frozen

from iqm_spec.diagnostics import printable
from iqm_spec.json_types import Json
from iqm_spec.server_api.errors import Unreadable

LARGEST = 2**53 - 1
"""Of an integer: beyond it canonical JSON holds none."""

LONGEST = 100
"""Characters of a word: an alias, a status, an id."""

_YEARS = range(1971, 9000)
"""Of a time. Near the ends of the calendar no time zone can be converted to another."""

_LONGEST_TEXT = 400
_LONGEST_EXCERPT = 120
_DEEPEST = 100
"""Levels of lists and mappings in each other; an answer of today's servers has ten."""
_INSPECTED = 20_000
"""Bytes that are read of a body that is not JSON."""


def count_of(value: Any) -> int | None:
    """A number of things."""
    return value if type(value) is int and 0 <= value <= LARGEST else None


def time_of(value: Any) -> datetime | None:
    """A time in ISO 8601 as UTC, which one without a zone is taken for."""
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    if when.year not in _YEARS:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)


def word_of(value: Any) -> str | None:
    """A short text that can be shown and stored as it is."""
    fits = isinstance(value, str) and value.isprintable() and 0 < len(value) <= LONGEST
    return value if fits else None


@frozen
class ServerError:
    """What the body of an error says; each is empty where it does not."""

    code: str
    message: str
    request_id: str


@frozen
class Reply:
    """A complete answer. `headers` have lower-case keys."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the request succeeded (2xx)."""
        return 200 <= self.status < 300

    @cached_property
    def _parsed(self) -> Any:
        try:
            data = strict_json(self.body)
        except (ValueError, RecursionError):
            return Unreadable(f"the server's answer ({self.status}) is not JSON: {self._excerpt()}")
        if _is_deep(data):
            return Unreadable(f"the server's answer ({self.status}) is nested too deeply")
        return data

    def elements(self) -> Iterator[Json] | Json:
        """The elements of a body that is a JSON list, parsed one by one; of another body its JSON.

        Only one element is in memory at a time, beside the body. Raises `Unreadable` where the body
        is not JSON, after the elements before that place.
        """
        return self._elements() if self.body.lstrip()[:1] == b"[" else self.json()

    def _elements(self) -> Iterator[Json]:
        try:
            yield from _elements(self.body.decode())
        except (ValueError, RecursionError):
            text = f"the server's answer ({self.status}) is not JSON: {self._excerpt()}"
            raise Unreadable(text) from None

    @cached_property
    def is_binary(self) -> bool:
        """Whether the body is no text: protobuf, an archive, an image.

        It holds control characters, or is no UTF-8; the end may cut a character.
        """
        body = self.body[:_INSPECTED]
        if re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", body):
            return True
        try:
            body.decode()
        except UnicodeDecodeError as error:
            return error.start < len(body) - 3
        return False

    def json(self) -> Json:
        """The body as JSON; raises `Unreadable` where it is not."""
        if isinstance(self._parsed, Unreadable):
            raise self._parsed
        value: Json = self._parsed
        return value

    def json_with_gaps(self) -> Json:
        """As `json`, with null for NaN and infinities, which Python's encoders write of figures."""

        def number(text: str) -> float | None:
            value = float(text)
            return value if math.isfinite(value) else None

        try:
            data = json.loads(self.body, parse_constant=lambda _: None, parse_float=number)
        except (ValueError, RecursionError):
            return self.json()
        if _is_deep(data):
            return self.json()
        value: Json = data
        return value

    @property
    def error(self) -> ServerError:
        """What the body says of an error, be it JSON, HTML, text or empty."""
        data = None if isinstance(self._parsed, Unreadable) else self._parsed
        if not isinstance(data, dict):
            return ServerError("", self._excerpt(), self.headers.get("x-request-id", "")[:100])
        message = data.get("message") or data.get("detail") or ""
        return ServerError(
            code=_word(data.get("error_code")),
            message=_short(message if isinstance(message, str) else json.dumps(message)),
            request_id=_word(data.get("request_id")) or self.headers.get("x-request-id", "")[:100],
        )

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asks to wait (Retry-After); None where it does not ask."""
        text = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII):
            return float(text)
        try:
            when = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return max(0.0, (when - datetime.now(UTC)).total_seconds())

    def _excerpt(self) -> str:
        """A short text of a body that is not JSON: an HTML page's title, or how the text begins."""
        if self.is_binary:
            return f"{len(self.body):,} bytes that are no text"
        text = self.body[:_INSPECTED].decode("utf-8", "replace")
        if title := re.search(r"<title[^>]*>([^<]*)</title", text, re.IGNORECASE):
            text = title[1]
        elif "<" in text:
            text = re.sub(r"<[^>]*>", " ", text)
        return _short(text, _LONGEST_EXCERPT)


def strict_json(data: bytes) -> Any:
    """JSON without NaN and infinities; ValueError or RecursionError where it is none."""
    return json.loads(data, parse_constant=_refuse, parse_float=_finite)


_decoder = json.JSONDecoder(
    parse_constant=lambda constant: _refuse(constant), parse_float=lambda text: _finite(text)
)
_blank = re.compile(r"[ \t\n\r]*")


def _elements(text: str) -> Iterator[Any]:
    """Elements of a JSON list. ValueError where it is not JSON, after the elements before that."""
    place = _skip(text, _skip(text, 0) + 1)
    if text[place : place + 1] != "]":
        while True:
            with _no_collection():
                item, place = _decoder.raw_decode(text, place)
            yield item
            del item
            place = _skip(text, place)
            if text[place : place + 1] != ",":
                break
            place = _skip(text, place + 1)
    if text[place : place + 1] != "]" or _skip(text, place + 1) != len(text):
        raise ValueError("not JSON")


def _skip(text: str, place: int) -> int:
    match = _blank.match(text, place)
    return match.end() if match else place


@contextmanager
def _no_collection() -> Iterator[None]:
    """Suspends garbage collection, which takes most of the time of parsing millions of lists."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _is_deep(data: Any) -> bool:
    """Whether lists and mappings are nested too deeply for Python's own recursion."""
    level = [data] if isinstance(data, dict | list) else []
    for _ in range(_DEEPEST):
        level = [
            item
            for parent in level
            for item in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True


def _short(text: str, longest: int = _LONGEST_TEXT) -> str:
    text = printable(" ".join(text.split()))
    return text if len(text) <= longest else f"{text[:longest]}..."


def _word(value: Any) -> str:
    return printable(value)[:100] if isinstance(value, str) else ""


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large")
    return value
