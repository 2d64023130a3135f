"""A spec file: read from disk or from bytes, parsed, with the place of each key and value.

`read_source` and `parse_source` give a `Source` or raise every mistake that reading shows;
`line_reader` gives the lines that `diagnostics.render` shows below a mistake.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path

from attrs import field, frozen

from iqm_spec.diagnostics import NOWHERE, Diagnostic, Problem, Span, TreePath
from iqm_spec.errors import SpecError
from iqm_spec.json_types import Json
from iqm_spec.source import places
from iqm_spec.source.places import PlaceTree
from iqm_spec.source.secrets import conceal
from iqm_spec.source.text import MAX_BYTES, MAX_MISTAKES, Mistake, decode_text

FileReader = Callable[[str], bytes]
"""Bytes of the file at a path relative to the spec; raises `CircuitFileError`."""


@frozen
class Override:
    """A value that came from a `--set PATH=VALUE` instead of the file.

    `key` and `value` are spans in the text of the override; their line counts overrides from 1.
    """

    path: TreePath
    key: Span
    value: Span


@frozen
class ExternalValues:
    """Values below `path` that come from another file, such as a column of a data file.

    `span_of` takes the steps of a path below `path` and gives a span in `file`, or None.
    """

    path: TreePath
    file: str
    span_of: Callable[[TreePath], Span | None] = field(eq=False, repr=False)


@frozen
class Source:
    """The data of one spec file. `file` is its path as given; `folder` is absolute and resolved.

    `text` is the file's text with `\\n` line ends and without a byte order mark. `tree` is plain
    JSON data with `overrides` applied. Places are looked up in the text when first needed.
    `base` is the file that it extends, whose fields are in the tree; `external` locates values
    from data files; `files` are the bytes of all these by their paths relative to the spec.
    """

    file: str
    folder: Path
    text: str
    tree: Mapping[str, Json]
    format: str
    overrides: tuple[Override, ...] = ()
    base: Source | None = None
    external: tuple[ExternalValues, ...] = ()
    files: Mapping[str, bytes] = field(factory=dict, eq=False, repr=False)

    @property
    def overridden(self) -> dict[str, Json]:
        """The values that came from `--set`, by their paths."""
        return {
            ".".join(map(str, override.path)): value_at(self.tree, override.path)
            for override in self.overrides
        }

    def span(self, path: TreePath, *, on_key: bool = False) -> Span:
        """Place of the value at `path`, or with `on_key` of the key that `path` ends with.

        Where nothing stands at `path`, the place of its nearest ancestor that has one.
        """
        place = places.find_place(_locate(self.text, self.format), path, on_key=on_key)
        line = self.line(places.line_of(place))
        return places.unpack(place, len(line.rstrip()) if line else 0)

    def diagnose(self, problem: Problem) -> Diagnostic:
        """`problem` with its file and place."""
        override = self._override_of(problem.path)
        if override is None:
            file, span = self._place_in_files(problem)
        else:
            at_key = problem.on_key and len(problem.path) == len(override.path)
            file, span = OVERRIDES_FILE, override.key if at_key else override.value
        return Diagnostic(file, span, problem.code, problem.message, problem.hint)

    def _place_in_files(self, problem: Problem) -> tuple[str, Span]:
        """File and place of a problem that no override caused."""
        for values in self.external:
            depth = len(values.path)
            inside = len(problem.path) > depth and problem.path[:depth] == values.path
            span = values.span_of(problem.path[depth:]) if inside else None
            if span is not None:
                return values.file, span
        owner = self if self.base is None or self._is_own(problem.path) else self.base
        return owner.file, owner.span(problem.path, on_key=problem.on_key)

    def _is_own(self, path: TreePath) -> bool:
        """Whether what is at `path`, or would be, is this file's and not the base's."""
        own, base = _locate(self.text, self.format), self.base
        for depth in range(1, len(path) + 1):
            if not places.has_place(own, path[:depth]):
                above = path[: depth - 1]
                merged = path_exists(self.tree, above) and isinstance(
                    value_at(self.tree, above), Mapping
                )  # a list of this file replaces the base's
                in_base = base is not None and places.has_place(
                    _locate(base.text, base.format), path[:depth]
                )
                return not (in_base and merged)
        return True

    def line(self, number: int) -> str | None:
        """The text of line `number`, counted from 1."""
        lines = _lines(self.text)
        return lines[number - 1] if 0 < number <= len(lines) else None

    def _override_of(self, path: TreePath) -> Override | None:
        """The last override that put what is at `path`, or something around it, in place."""
        for override in reversed(self.overrides):
            if path[: len(override.path)] == override.path:
                return override
        below = [override for override in self.overrides if override.path[: len(path)] == path]
        in_a_file = any(
            places.has_place(_locate(source.text, source.format), path)
            for source in (self, self.base)
            if source
        )
        return None if in_a_file or not below else below[-1]


def value_at(tree: Json, path: TreePath) -> Json:
    """The value at `path` of `tree`; raises `KeyError` where there is none."""
    for step in path:
        try:
            tree = tree[step]  # type: ignore[index]
        except (LookupError, TypeError):
            raise KeyError(path) from None
    return tree


def path_exists(tree: Json, path: TreePath) -> bool:
    """Whether `path` leads to a value of `tree`."""
    try:
        value_at(tree, path)
    except KeyError:
        return False
    return True


def path_beside(file: str, ref: str) -> str:
    """The shown path of `ref`, which is relative to the folder of the spec `file`."""
    folder, slash, _ = file.rpartition("/")
    return f"{folder}{slash}{ref}"


@lru_cache(maxsize=4)
def _locate(text: str, form: str) -> PlaceTree:
    if form == "toml":
        from iqm_spec.source.toml_tree import locate_toml

        return locate_toml(text)
    from iqm_spec.source.yaml_tree import locate_yaml

    return locate_yaml(text)


@lru_cache(maxsize=4)
def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.split("\n"))


# --- reading -------------------------------------------------------------------------------------

_FORMATS = {".yaml": "yaml", ".yml": "yaml", ".toml": "toml"}


def read_source(path: Path) -> Source:
    """The spec file at `path`; raises `SpecError` with every mistake in it."""
    data = read_bytes(path)
    if isinstance(data, Mistake):
        raise SpecError((data.diagnostic(shown_path(path)),))
    return parse_source(data, path)


def parse_source(data: bytes, path: Path) -> Source:
    """The spec that `data` is, as the file `path`, which need not exist; raises `SpecError`."""
    file = shown_path(path)
    text, mistakes = decode_text(data)
    form = _FORMATS.get(path.suffix.lower(), "")
    if not form:
        ending = f"ends in `{shown_path(Path(path.suffix))}`" if path.suffix else "has no ending"
        message = f"the file's name {ending}; a spec is .yaml, .yml or .toml"
        mistakes = [Mistake(NOWHERE, "S101", message, "rename the file")]
    tree: object = None
    if not mistakes:
        if form == "toml":
            from iqm_spec.source.toml_tree import parse_toml as parse
        else:
            from iqm_spec.source.yaml_tree import parse_yaml as parse
        tree, mistakes = parse(text)
    if not mistakes and not (isinstance(tree, dict) and tree):
        kind = "a list" if isinstance(tree, list) else "one value"
        content = "is empty" if tree is None or tree == {} else f"holds {kind}"
        message = f"a spec is a mapping of fields, but this file {content}"
        hint = "begin with `iqm_spec: 1`; `iqm-spec init` writes a spec to start from"
        mistakes = [Mistake(Span(1, 1, 2), "S110", message, hint)]
    if mistakes or not isinstance(tree, dict):
        raise SpecError(tuple(sorted(m.diagnostic(file) for m in mistakes[:MAX_MISTAKES])))
    return Source(file, path.parent.resolve(), text, tree, form)


def shown_path(path: Path) -> str:
    """`path` as it was given, with POSIX slashes, printable whatever its bytes."""
    return path.as_posix().encode("utf-8", "backslashreplace").decode()


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
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            return _unreadable("this is a folder, not a file", "name a spec file in it")
        if not stat.S_ISREG(status.st_mode):
            return _unreadable("this is not a regular file")
        if status.st_size > MAX_BYTES:
            return _too_large()
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES + 1)
        return _too_large() if len(data) > MAX_BYTES else data
    except OSError as error:
        return _unreadable(f"the file cannot be read: {error.strerror}")
    finally:
        os.close(handle)


def _unreadable(message: str, hint: str = "") -> Mistake:
    return Mistake(NOWHERE, "S101", message, hint)


def _too_large() -> Mistake:
    hint = "circuits belong in files of their own; long axes are written with `range` or `linspace`"
    message = f"the file is larger than {MAX_BYTES // 2**20} MiB"
    return Mistake(NOWHERE, "S109", message, hint)


def _alike(path: Path) -> str:
    """Spec files beside `path` whose names are near its own."""
    from iqm_spec.diagnostics import nearest

    try:
        names = [name for name in os.listdir(path.parent) if Path(name).suffix in _FORMATS]
    except OSError:
        return ""
    return nearest(path.name, names)


# --- lines for excerpts --------------------------------------------------------------------------

OVERRIDES_FILE = "--set"
"""Stands for the file of mistakes in overrides; their line counts the overrides from 1."""


def line_reader(
    overrides: Sequence[str] = (), texts: Mapping[str, str] | None = None
) -> Callable[[str, int], str | None]:
    """`line_of(file, number)` for `diagnostics.render`: None where there is no such line.

    `texts` are those of files that were never on the disk. What looks like a secret is masked,
    whatever the mistake on its line is. A file that could hold no spec (a pipe, a device, more than
    8 MiB, no text) has no lines.
    """
    text_by_file = texts or {}

    @cache
    def lines(file: str) -> Sequence[str]:
        if file in text_by_file:
            return text_by_file[file].split("\n")
        data = read_bytes(Path(file))
        if isinstance(data, Mistake) or b"\0" in data:  # QPY and NPZ have no lines to show
            return ()
        text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n")
        return text.replace("\r", "\n").split("\n")

    def line_of(file: str, number: int) -> str | None:
        texts = overrides if file == OVERRIDES_FILE else lines(file)
        return conceal(texts[number - 1]) if 0 < number <= len(texts) else None

    return line_of
