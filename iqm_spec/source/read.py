"""A spec file on disk to a `Source`, or every mistake that reading it shows."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from iqm_spec.diagnostics import NOWHERE, Diagnostic, Span
from iqm_spec.errors import SpecError
from iqm_spec.source.limits import MOST_BYTES, MOST_MISTAKES
from iqm_spec.source.places import Mistake
from iqm_spec.source.source import Source
from iqm_spec.source.text import decode

_FORMATS = {".yaml": "yaml", ".yml": "yaml", ".toml": "toml"}


def read_source(path: Path) -> Source:
    """The spec file at `path`; raises `SpecError` with every mistake found in reading it."""
    data = read_bytes(path)
    if isinstance(data, Mistake):
        raise SpecError((_diagnostic(shown_path(path), data),))
    return parse_source(data, path)


def parse_source(data: bytes, path: Path) -> Source:
    """The spec that `data` is, as the file `path`, which need not exist; raises `SpecError`."""
    file = shown_path(path)
    text, mistakes = decode(data)
    form = _FORMATS.get(path.suffix.lower(), "")
    if not form:
        mistakes = [_unknown_ending(path)]
    tree: object = None
    if not mistakes:
        tree, mistakes = _parse(text, form)
    if not mistakes and not (isinstance(tree, dict) and tree):
        mistakes = [_not_one_mapping(tree)]
    if mistakes or not isinstance(tree, dict):
        told = sorted(_diagnostic(file, mistake) for mistake in mistakes[:MOST_MISTAKES])
        raise SpecError(tuple(told))
    return Source(file, path.parent.resolve(), text, tree, form)


def shown_path(path: Path) -> str:
    """`path` as it was given, with POSIX slashes, printable whatever its bytes."""
    return path.as_posix().encode("utf-8", "backslashreplace").decode()


def _parse(text: str, form: str) -> tuple[object, list[Mistake]]:
    if form == "toml":
        from iqm_spec.source.toml_tree import parse_toml

        return parse_toml(text)
    from iqm_spec.source.yaml_tree import parse_yaml

    return parse_yaml(text)


def read_bytes(path: Path) -> bytes | Mistake:
    """Bytes of a regular file of at most 8 MiB, or why there are none; no pipe is waited for."""
    try:
        # without O_NONBLOCK opening a named pipe would wait for a writer
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return _unreadable("there is no such file", _alike(path))
    except (OSError, ValueError) as error:
        return _unreadable(f"the file cannot be read: {getattr(error, 'strerror', None) or error}")
    try:
        return _read_open(handle)
    except OSError as error:
        return _unreadable(f"the file cannot be read: {error.strerror}")
    finally:
        os.close(handle)


def _read_open(handle: int) -> bytes | Mistake:
    status = os.fstat(handle)
    if stat.S_ISDIR(status.st_mode):
        return _unreadable("this is a folder, not a file", "name a spec file in it")
    if not stat.S_ISREG(status.st_mode):
        return _unreadable("this is not a regular file")
    if status.st_size > MOST_BYTES:
        return _too_large()
    with os.fdopen(handle, "rb", closefd=False) as file:
        data = file.read(MOST_BYTES + 1)
    return _too_large() if len(data) > MOST_BYTES else data


def _unreadable(message: str, hint: str = "") -> Mistake:
    return Mistake(NOWHERE, "S101", message, hint)


def _too_large() -> Mistake:
    hint = "circuits belong in files of their own; long axes are written with `range` or `linspace`"
    message = f"the file is larger than {MOST_BYTES // 2**20} MiB"
    return Mistake(NOWHERE, "S109", message, hint)


def _alike(path: Path) -> str:
    """Spec files beside `path` whose names are near its own."""
    from iqm_spec.diagnostics import nearest

    try:
        names = [name for name in os.listdir(path.parent) if Path(name).suffix in _FORMATS]
    except OSError:
        return ""
    return nearest(path.name, names)


def _unknown_ending(path: Path) -> Mistake:
    ending = f"ends in `{shown_path(Path(path.suffix))}`" if path.suffix else "has no ending"
    message = f"the file's name {ending}; a spec is .yaml, .yml or .toml"
    return Mistake(NOWHERE, "S101", message, "rename the file")


def _not_one_mapping(tree: object) -> Mistake:
    kind = "a list" if isinstance(tree, list) else "one value"
    found = "is empty" if tree is None or tree == {} else f"holds {kind}"
    hint = "begin with `iqm_spec: 1`; `iqm-spec init` writes a spec to start from"
    return Mistake(
        Span(1, 1, 2), "S110", f"a spec is a mapping of fields, but this file {found}", hint
    )


def _diagnostic(file: str, mistake: Mistake) -> Diagnostic:
    return Diagnostic(file, mistake.span, mistake.code, mistake.message, mistake.hint)
