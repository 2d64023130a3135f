"""`"${axis}"` in a spec's strings: which axes a value uses, and what it is at a point.

Alone in its string a placeholder keeps the type of the axis's value; inside a longer string it is
text. `$${` stands for a literal `${`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from attrs import frozen

from iqm_spec.canonical import canonical
from iqm_spec.json_types import Json
from iqm_spec.model import AxisValue

AXIS_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_TOKEN = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")

Fill = Callable[[Mapping[str, AxisValue]], Json]


class TemplateError(ValueError):
    """A `${` without a `}` or without an axis name in it."""


@frozen
class FieldTemplate:
    """A templated value made ready: `axes` it uses in order of appearance, `fill(values)` it."""

    axes: tuple[str, ...]
    fill: Fill

    @property
    def constant(self) -> bool:
        """True where the value holds no placeholder."""
        return not self.axes


def compile_template(value: Json) -> FieldTemplate:
    """Make `value` ready to be filled; raises `TemplateError` where a placeholder is malformed."""
    axes: dict[str, None] = {}
    fill = _compile(value, axes)
    if not axes:
        return FieldTemplate((), lambda _values: value)
    return FieldTemplate(tuple(axes), fill)


def axes_in(value: Json) -> tuple[str, ...]:
    """Names of the axes that `value` uses, in order of appearance."""
    return compile_template(value).axes


def _compile(value: Json, axes: dict[str, None]) -> Fill:
    if isinstance(value, str):
        return _compile_text(value, axes)
    if isinstance(value, Mapping):
        fields = {key: _compile(item, axes) for key, item in value.items()}
        return lambda values: {key: fill(values) for key, fill in fields.items()}
    if isinstance(value, list | tuple):
        items = [_compile(item, axes) for item in value]
        return lambda values: [fill(values) for fill in items]
    return lambda _values: value


def _compile_text(text: str, axes: dict[str, None]) -> Fill:
    if "${" not in text:
        return lambda _values: text
    alone = _TOKEN.fullmatch(text)
    if alone and alone[1] is not None:
        name = _axis_name(alone)
        axes[name] = None
        return lambda values: _plain(values[name])
    for match in _TOKEN.finditer(text):
        if match[1] is not None:
            axes[_axis_name(match)] = None
    return lambda values: _TOKEN.sub(lambda match: _as_text(match, values), text)


def _axis_name(match: re.Match[str]) -> str:
    name = match[1].strip()
    if not match[2]:
        raise TemplateError(f"`{match[0]}` has no closing brace")
    if not AXIS_NAME.match(name):
        raise TemplateError(f"`{match[0]}` holds no axis name")
    return name


def _as_text(match: re.Match[str], values: Mapping[str, AxisValue]) -> str:
    if match[1] is None:
        return "${"
    value = values[match[1].strip()]
    return value if isinstance(value, str) else canonical(_plain(value)).decode()


def _plain(value: AxisValue) -> Json:
    return list(value) if isinstance(value, tuple) else value
