"""A spec as Python gives it: the path of a file, a text of YAML, or a mapping of its fields."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from iqm_spec.errors import SpecError, UsageError
from iqm_spec.source import Source, line_reader, parse_source, shown_path
from iqm_spec.source.scalars import is_plain_scalar

Spec = str | PathLike[str] | Mapping[str, Any]
"""A path, the text of a spec in YAML (it has several lines), or its fields."""

TEXT = "<text>.yaml"
MAPPING = "<mapping>.yaml"
"""Stand for the file's name where mistakes are told."""

_DEEPEST = 100


def source_of(spec: Spec, folder: Path) -> Path | Source:
    """The path of a file, or what a text or a mapping says, with its circuit files in `folder`.

    SpecError where a text is no YAML, UsageError where a mapping holds what no spec can.
    """
    if isinstance(spec, Mapping):
        return _parsed(yaml_of(spec), folder / MAPPING)
    if isinstance(spec, str) and "\n" in spec:
        return _parsed(spec, folder / TEXT)
    if isinstance(spec, str | PathLike):
        return Path(spec)
    raise UsageError(
        f"a spec is a path, a text of YAML or a mapping, not {_kind(spec)}",
        hint="iqm_spec.run('experiment.yaml')",
    )


def yaml_of(spec: Mapping[str, Any]) -> str:
    """The fields as YAML, a line each: mistakes point into it. Numpy's numbers are Python's."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes whatever our own reader would not take for that very text."""

    def quoted(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
        style = None if is_plain_scalar(text) and text.isprintable() else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, quoted)
    tree = _plain(spec, 0)

    def dumped(*, allow_unicode: bool) -> str:
        told: str = yaml.dump(
            tree, Dumper=Dumper, sort_keys=False, allow_unicode=allow_unicode, width=100
        )
        return told

    told = dumped(allow_unicode=True)
    # signs that nobody sees may stand in a spec as escapes alone
    seen = all(sign.isprintable() or sign == "\n" for sign in told)
    return told if seen else dumped(allow_unicode=False)


def _parsed(text: str, path: Path) -> Source:
    try:
        return parse_source(text.encode("utf-8", "surrogatepass"), path)
    except SpecError as error:
        error.line_of = line_reader((), {shown_path(path): text})
        raise


def _plain(value: Any, depth: int) -> Any:
    """Fresh containers of plain values: YAML would show shared ones as aliases."""
    if depth > _DEEPEST:
        raise UsageError("the spec's mapping is nested too deeply")
    if isinstance(value, Mapping):
        return {_key(key): _plain(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(one, depth + 1) for one in value]
    if value is None or type(value) in (bool, int, float, str):
        return value
    if hasattr(value, "tolist"):  # numpy's arrays and numbers
        return _plain(value.tolist(), depth + 1)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, PathLike):
        return fspath(value)
    raise UsageError(
        f"a spec holds numbers, texts, lists and mappings, not {_kind(value)}",
        hint="write a number or a text in its place",
    )


def _key(key: object) -> str:
    if isinstance(key, str):
        return str(key)
    raise UsageError(f"the fields of a spec are texts, not {_kind(key)} {key!r}")


def _kind(value: object) -> str:
    return f"a value of type {type(value).__name__}"
