"""JSON answers with a few places changed: other types, odd numbers and texts, lost or new keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

Path = tuple[str | int, ...]

HOSTILE = "\x1b]0;owned\x07\x1b[31mred\x9b2J\u202egnp.exe\r\n\x00"
"""Commands for a terminal, of 7 and 8 bits, and text that runs backwards."""

_RAW = "raw-json:"
"""Begins a text whose rest is put into the answer as it is."""

DEPTHS = (50, 900, 5_000, 20_000)

_VALUES: tuple[Callable[[], Any], ...] = (
    lambda: None,
    lambda: True,
    lambda: False,
    lambda: 0,
    lambda: 1,
    lambda: -1,
    lambda: 0.5,
    lambda: 1.0,
    lambda: 2**53,
    lambda: 2**63,
    lambda: 10**400,
    lambda: -(10**400),
    lambda: 1e308,
    lambda: -1e308,
    lambda: 1e-320,
    lambda: f"{_RAW}NaN",
    lambda: f"{_RAW}Infinity",
    lambda: f"{_RAW}1e999",
    lambda: f"{_RAW}-0",
    lambda: f"{_RAW}{'9' * 5_000}",
    lambda: "NaN",
    lambda: "1e999999999",
    lambda: "1e300",
    lambda: "-1",
    lambda: "",
    lambda: " ",
    lambda: "..",
    lambda: "a/b?c=d#e",
    lambda: "é漢🎲",
    lambda: HOSTILE,
    lambda: "\ud800",
    lambda: "x" * 50_000,
    lambda: "00000000-0000-4000-8000-000000000000",
    lambda: "0001-01-01T00:00:00+14:00",
    lambda: "9999-12-31T23:59:59.999999-14:00",
    lambda: "2026-02-30T00:00:00Z",
    list,
    dict,
    lambda: [None],
    lambda: [[]],
    lambda: {"": None},
    lambda: {HOSTILE: HOSTILE, "\ud800": 10**400},
    lambda: ["x"] * 2_000,
)
_STATUSES = ("completed", "failed", "cancelled", "aborted", "processing", "Completed", "odd")


def mutated(body: bytes, seed: int) -> tuple[bytes, str]:
    """A changed body and in words what was changed; the same for the same body and seed."""
    rng = Random(seed)
    if rng.random() < 0.04:
        return _broken(body, rng)
    data = json.loads(body or b"null")
    told = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        data, what = _change(data, rng)
        told.append(what)
    return _written(data), "; ".join(told)


def _broken(body: bytes, rng: Random) -> tuple[bytes, str]:
    """Bytes that are no JSON, or JSON in another clothing."""
    kinds = {
        "a byte order mark": b"\xef\xbb\xbf" + body,
        "two documents": body + body,
        "cut off": body[: len(body) // 2],
        "nothing": b"",
        "UTF-16": body.decode("utf-8", "replace").encode("utf-16"),
        "not UTF-8": b'"\xff\xfe"',
        "a control character in a text": b'{"a": "\x1b"}',
        "HTML": b"<html><title>\x1b[31mBad\x9b gateway</title></html>",
    }
    name = rng.choice(list(kinds))
    return kinds[name], name


def _change(data: Any, rng: Random) -> tuple[Any, str]:
    """One place changed, or all places of a kind in the same way."""
    alike = _places(data, rng)
    if len(alike) == 1 or rng.random() < 0.6:
        return _change_at(data, rng.choice(alike), rng)
    seed, what = rng.randrange(1 << 32), ""
    for path in reversed(alike):  # those behind a lost one move up
        data, what = _change_at(data, path, Random(seed))
    return data, f"{what}, and so {len(alike)} times"


def _change_at(data: Any, path: Path, rng: Random) -> tuple[Any, str]:
    value = _at(data, path)
    parent = _at(data, path[:-1]) if path else None
    ways: list[Callable[[], tuple[Any, str]]] = [
        lambda: _replaced(data, path, rng.choice(_VALUES)()),
        lambda: _replaced(data, path, rng.choice(_VALUES)()),
        lambda: _replaced(data, path, _near(value, rng)),
        lambda: _replaced(data, path, _deep(rng)),
        lambda: _replaced(data, path, [value]),
    ]
    if isinstance(parent, dict):
        ways += [lambda: _lost(data, path), lambda: _renamed(data, path, rng)]
    if isinstance(parent, list):
        ways += [lambda: _lost(data, path), lambda: _doubled(data, path)]
    if isinstance(value, dict):
        ways += [lambda: _given_more(data, path, rng), lambda: _replaced(data, path, {})]
    if isinstance(value, list):
        ways += [lambda: _replaced(data, path, []), lambda: _replaced(data, path, value * 2)]
        ways.append(lambda: _replaced(data, path, [*value, rng.choice(_VALUES)()]))
    return rng.choice(ways)()


def _places(data: Any, rng: Random) -> list[Path]:
    """The places of one kind: every kind is as likely, however often it is there."""
    kinds: dict[Path, list[Path]] = {}
    for path in _paths(data, ()):
        kind = tuple("*" if isinstance(part, int) else part for part in path)
        kinds.setdefault(kind, []).append(path)
    return kinds[rng.choice(list(kinds))]


def _paths(data: Any, path: Path) -> Iterator[Path]:
    yield path
    if isinstance(data, dict):
        for key, item in data.items():
            yield from _paths(item, (*path, key))
    elif isinstance(data, list):
        for number, item in enumerate(data):
            yield from _paths(item, (*path, number))


def _at(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data


def _replaced(data: Any, path: Path, value: Any) -> tuple[Any, str]:
    told = f"{_name(path)} = {_shown(value)}"
    if not path:
        return value, told
    _at(data, path[:-1])[path[-1]] = value
    return data, told


def _lost(data: Any, path: Path) -> tuple[Any, str]:
    del _at(data, path[:-1])[path[-1]]
    return data, f"{_name(path)} is gone"


def _renamed(data: Any, path: Path, rng: Random) -> tuple[Any, str]:
    parent = _at(data, path[:-1])
    name = rng.choice((f"{path[-1]}x", HOSTILE, "", "\ud800", "é"))
    parent[name] = parent.pop(path[-1])
    return data, f"{_name(path)} is called {name!r}"


def _doubled(data: Any, path: Path) -> tuple[Any, str]:
    parent = _at(data, path[:-1])
    parent.append(parent[int(path[-1])])
    return data, f"{_name(path)} is there twice"


def _given_more(data: Any, path: Path, rng: Random) -> tuple[Any, str]:
    name, value = rng.choice(("new", HOSTILE, "", "\ud800")), rng.choice(_VALUES)()
    _at(data, path)[name] = value
    return data, f"{_name(path)} has {name!r} too, {_shown(value)}"


def _near(value: Any, rng: Random) -> Any:
    """Something of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return rng.choice((-value, value + 1, value * 1e6, 0, str(value), 10**400, 1e300, 1e-300))
    if isinstance(value, str):
        odd = (HOSTILE + value, value * 500, value.upper(), f" {value}", rng.choice(_STATUSES))
        return rng.choice((*odd, value[:-1], f"{value}\ud800"))
    if isinstance(value, list):
        return rng.choice((value[::-1], value[:1], dict.fromkeys(map(str, value))))
    if isinstance(value, dict):
        return rng.choice((list(value.items()), list(value), dict(list(value.items())[:1])))
    return 0


def _deep(rng: Random) -> str:
    depth = rng.choice(DEPTHS)
    return _RAW + rng.choice(("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth))


def _written(data: Any) -> bytes:
    """JSON with escapes for whatever is not ASCII; raw parts as they are."""
    parts = json.dumps(data).split(f'"{_RAW}')
    text = parts[0]
    for part in parts[1:]:
        raw, rest = _cut(part)
        text += raw + rest
    return text.encode()


def _cut(part: str) -> tuple[str, str]:
    """The raw JSON at the beginning of a part, unescaped, and what is behind its last quote."""
    end = 0
    while part[end] != '"':
        end += 2 if part[end] == "\\" else 1
    return json.loads(f'"{part[:end]}"'), part[end + 1 :]


def _name(path: Path) -> str:
    return ".".join(map(str, path)) or "all"


def _shown(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:60]}... ({len(text)})"
