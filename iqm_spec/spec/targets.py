"""What stands in `target`: an alias, and the forms of older guides that are rewritten to one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from attrs import evolve, frozen

from iqm_spec.diagnostics import Problem, TreePath, nearest
from iqm_spec.json_types import Json
from iqm_spec.model import Mode
from iqm_spec.server_api.address import ALIAS, RESONANCE, RESONANCE_HOSTS, SUFFIXES


@frozen
class TargetRef:
    """A target as it is meant. `mode` is None where the text leaves it open.

    `notice` tells what the text was rewritten to; it is empty for a plain alias.
    """

    alias: str
    mode: Mode | None = None
    mock: bool = False
    notice: str = ""


class TargetError(ValueError):
    """A target that cannot be understood; `hint` says what to write."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def parse_target(text: str) -> TargetRef:
    """`garnet`, `garnet:mock`, `garnet:timeslot`, or a URL of IQM Resonance that ends in one."""
    path = _url_path(text) if "/" in text else text
    alias, _, suffix = path.partition(":")
    if not ALIAS.match(alias):
        raise TargetError(f"`{alias}` is not the alias of a quantum computer", "write `garnet`")
    if suffix not in ("", *SUFFIXES) or path.endswith(":"):
        hint = nearest(suffix, SUFFIXES) or "`:mock` and `:timeslot` are understood"
        raise TargetError(f"`:{suffix}` is no suffix of a target", hint)
    mode = Mode.TIMESLOT if suffix == "timeslot" else None
    ref = TargetRef(alias, mode, mock=suffix == "mock")
    if path == text and not suffix:
        return ref
    parts = [f"`target: {ref.alias}`"]
    client = [f'quantum_computer="{ref.alias}"']
    if ref.mode is Mode.TIMESLOT:
        parts.append("`mode: timeslot`")
        client.append("use_timeslot=True")
    if ref.mock:
        parts.append("no hardware stage (`stages: [aer, mock]` asks for the mock)")
        client = [f'quantum_computer="{ref.alias}:mock"']
    host = f" (iqm-client: {RESONANCE}, {', '.join(client)})"
    return evolve(ref, notice=f"target `{text}` is read as {' with '.join(parts)}{host}")


def _url_path(text: str) -> str:
    """What follows the host of a URL, on one of IQM Resonance's hosts."""
    hint = "write the alias alone: `garnet`; another server is chosen by --server"
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise TargetError("the URL cannot be read", hint) from None
    if url.scheme != "https" or url.hostname not in RESONANCE_HOSTS or port not in (None, 443):
        raise TargetError("this is not a URL of IQM Resonance", hint)
    path = url.path.strip("/")
    if url.query or url.fragment or url.username or url.password or "/" in path:
        raise TargetError("the URL holds more than a host and a quantum computer", hint)
    if not path:
        raise TargetError("the URL names no quantum computer", hint)
    return path


@frozen
class SpecTargets:
    """The targets of a spec that could be read, by where they stand, and the mode they imply."""

    refs: Mapping[TreePath, TargetRef]
    mode: Mode | None


def read_targets(tree: Mapping[str, Json]) -> tuple[SpecTargets, list[Problem]]:
    """Every literal target of `tree` as it is meant, and those that cannot be."""
    refs: dict[TreePath, TargetRef] = {}
    problems: list[Problem] = []
    for path, holder in parts_with_fields(tree):
        text = holder.get("target")
        if not isinstance(text, str) or not text or "${" in text:
            continue
        where = (*path, "target")
        try:
            refs[where] = parse_target(text)
        except TargetError as error:
            problems.append(Problem(where, "S505", f"`target`: {error.message}", error.hint))
    top = refs.get(("target",))
    mode = tree.get("mode") or (top.mode if top else None)
    targets = SpecTargets(refs, Mode(mode) if mode in tuple(Mode) else None)
    return targets, problems


def parts_with_fields(tree: Mapping[str, Json]) -> Iterator[tuple[TreePath, Mapping[str, Json]]]:
    """The spec itself and its circuits: both hold targets, layouts and options."""
    yield (), tree
    circuits = tree.get("circuits")
    for index, entry in enumerate(circuits if isinstance(circuits, list) else ()):
        if isinstance(entry, dict):
            yield ("circuits", index), entry
