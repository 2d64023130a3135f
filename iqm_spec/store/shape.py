"""What kind of value stands where: small checks that tell the path of the first misfit."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Shape = Callable[[object], str | None]
"""None where a value fits; else the path in it of what does not, empty for the value itself."""


def anything(_: object) -> str | None:
    """Fits whatever there is."""
    return None


def text(value: object) -> str | None:
    """A string."""
    return None if type(value) is str else ""


def flag(value: object) -> str | None:
    """True or false."""
    return None if type(value) is bool else ""


def whole(value: object) -> str | None:
    """An integer from 0 on."""
    return None if type(value) is int and value >= 0 else ""


def number(value: object) -> str | None:
    """An integer or a float."""
    return None if type(value) in (int, float) else ""


def scalar(value: object) -> str | None:
    """A string, a number, true or false."""
    return None if type(value) in (str, int, float, bool) else ""


def digest(value: object) -> str | None:
    """A sha256 in lower-case hex."""
    fits = type(value) is str and len(value) == 64 and not set(value) - _HEX
    return None if fits else ""


_HEX = frozenset("0123456789abcdef")
_BITS = frozenset("01 ")


def maybe(of: Shape) -> Shape:
    """Null, or that."""
    return lambda value: None if value is None else of(value)


def listed(of: Shape) -> Shape:
    """A list of such."""

    def check(value: object) -> str | None:
        if type(value) is not list:
            return ""
        for place, one in enumerate(value):
            if (wrong := of(one)) is not None:
                return f"[{place}]{wrong}"
        return None

    return check


def row(*of: Shape, least: int | None = None) -> Shape:
    """A list with these in order; `least` of them have to be there, all by default."""
    few = len(of) if least is None else least

    def check(value: object) -> str | None:
        if type(value) is not list or not few <= len(value) <= len(of):
            return ""
        for place, one in enumerate(value):
            if (wrong := of[place](one)) is not None:
                return f"[{place}]{wrong}"
        return None

    return check


def table(of: Shape) -> Shape:
    """An object with such values under any names."""

    def check(value: object) -> str | None:
        if type(value) is not dict:
            return ""
        for name, one in value.items():
            if (wrong := of(one)) is not None:
                return f".{name}{wrong}"
        return None

    return check


def counted(value: object) -> str | None:
    """Bitstrings of one length, spaces between registers, with how often each was seen."""
    if type(value) is not dict or set("".join(value)) - _BITS or len(set(map(len, value))) > 1:
        return ""
    return None if all(type(n) is int and n >= 0 for n in value.values()) else ""


def rising(*names: str) -> Shape:
    """An object whose numbers of these names rise, or stay."""
    check_fields = fields(dict.fromkeys(names, number))

    def check(value: object) -> str | None:
        if (wrong := check_fields(value)) is not None:
            return wrong
        told = [value[name] for name in names]  # type: ignore[index]
        return None if told == sorted(told) else ""

    return check


def either(*of: Shape) -> Shape:
    """One of these."""

    def check(value: object) -> str | None:
        return None if any(one(value) is None for one in of) else ""

    return check


def fields(needed: Mapping[str, Shape], more: Mapping[str, Shape] | None = None) -> Shape:
    """An object with all of `needed`, and of `more` what is there; what else it holds is free."""
    wanted = tuple(needed.items())
    allowed = tuple((more or {}).items())

    def check(value: object) -> str | None:
        if type(value) is not dict:
            return ""
        for name, of in wanted:
            if name not in value:
                return f".{name}"
            if (wrong := of(value[name])) is not None:
                return f".{name}{wrong}"
        for name, of in allowed:
            if name in value and (wrong := of(value[name])) is not None:
                return f".{name}{wrong}"
        return None

    return check
