"""Changes what a results folder says and mends every hash, as one who wants to deceive would."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from iqm_spec.canonical import canonical, sha256

Change = Callable[[dict[str, Any]], object]
"""Changes a value in place."""


def forge_record(root: Path, kind: str, change: Change) -> None:
    """Changes the first record of the first pack of a kind."""
    path = next(path for path in _packs(root) if _header(path) == f"iqm-spec/{kind}/1")
    head, *lines = path.read_bytes().splitlines()
    record = json.loads(lines[0])
    change(record)
    lines[0] = canonical(record)
    _replace(root, path, b"\n".join([head, *lines]) + b"\n")


def forge_object(root: Path, kind: str, change: Change, having: str = "") -> None:
    """Changes the first JSON object of a format that has some text in it."""
    for path in sorted((root / "objects").glob("*/*.json")):
        value = json.loads(path.read_bytes())
        if value.get("format") == f"iqm-spec/{kind}/1" and having in path.read_text():
            change(value)
            _replace(root, path, canonical(value))
            return
    raise LookupError(kind)


def forge_events(root: Path, pattern: str, change: Change) -> None:
    """Changes the fields of all events whose path in the folder fits a pattern."""
    for path in sorted(root.glob(pattern)):
        value = json.loads(path.read_bytes())
        change(value["fields"])
        _rewrite(path, canonical(value))


def forge_bodies(root: Path, change: Change) -> int:
    """Changes the body of every request to a server; returns how many there are."""
    bodies = []
    for path in sorted((root / "objects").glob("*/*.json")):
        value = json.loads(path.read_bytes())
        if {"circuits", "shots"} <= value.keys():
            change(value)
            bodies.append((path, canonical(value)))
    for path, data in bodies:
        _replace(root, path, data)
    return len(bodies)


def _packs(root: Path) -> Iterator[Path]:
    yield from sorted((root / "objects").glob("*/*.jsonl"))


def _header(path: Path) -> str:
    with path.open("rb") as file:
        return str(json.loads(file.readline())["format"])


def _replace(root: Path, path: Path, data: bytes) -> None:
    """Puts an object in another's place: whatever names the old one names the new one after."""
    old, new = path.stem, sha256(data)
    path.unlink()
    place = root / "objects" / new[:2] / f"{new}{path.suffix}"
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(data)
    shutil.rmtree(root / "index", ignore_errors=True)
    for pointer in (root / "asks").glob(f"*/*-{old}"):
        pointer.rename(pointer.with_name(pointer.name.replace(old, new)))
    for other in [item for item in root.rglob("*.json*") if "emulator" not in item.parts]:
        text = other.read_bytes() if other.exists() else b""  # what names this may be renamed
        if old.encode() not in text:
            continue
        mended = text.replace(old.encode(), new.encode())
        if "objects" in other.parts:
            _replace(root, other, mended)
        else:
            _rewrite(other, mended)


def _rewrite(event: Path, data: bytes) -> None:
    """Puts an event in another's place, under the name that its bytes ask for."""
    numbered = event.name.rpartition("-")[0]
    event.unlink()
    event.with_name(f"{numbered}-{sha256(data)[:8]}.json").write_bytes(data)


def exchange_value(root: Path, chance: Random, values: Sequence[object]) -> str:
    """Puts one of some values in the place of any that is stored; says where."""
    paths = [p for name in ("objects", "runs", "jobs") for p in (root / name).rglob("*.json*")]
    path = chance.choice(sorted(paths))
    lines = path.read_bytes().splitlines() if path.suffix == ".jsonl" else [path.read_bytes()]
    line = chance.randrange(len(lines))
    whole = json.loads(lines[line])
    place = chance.choice([way for way in _ways(whole) if way])
    holder = whole
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value = chance.choice(values)
    lines[line] = canonical(whole)
    data = b"\n".join(lines) + (b"\n" if path.suffix == ".jsonl" else b"")
    if path.parts[-3] == "objects":
        _replace(root, path, data)
    else:
        _rewrite(path, data)
    return f"{path.relative_to(root)} line {line + 1} {place} = {value!r}"


def _ways(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to every value within one."""
    yield way
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _ways(one, (*way, name))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from _ways(one, (*way, place))
