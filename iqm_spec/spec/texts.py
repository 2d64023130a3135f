"""Rules for every text of a spec, wherever it stands: no secrets, placeholders in their places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from iqm_spec.diagnostics import Problem, TreePath
from iqm_spec.json_types import Json
from iqm_spec.model import SourceKind
from iqm_spec.source.secrets import holds_secret, is_secret_name
from iqm_spec.spec.words import field_name
from iqm_spec.sweep.expand import FIELDS
from iqm_spec.sweep.template import TemplateError, axes_in

_HINT = "tokens come from IQM_TOKEN or IQM_TOKENS_FILE; if this one is real, revoke it"
_TOP = frozenset(("target", "shots", "repeat", "layout", "transpile", "options"))
_CIRCUIT = (frozenset(FIELDS) - {"ref"}) | {kind.value for kind in SourceKind}
# where a long run of random characters can only be a credential
_NEVER_RANDOM = frozenset(("target", "server", "url"))


def secret_problems(tree: Mapping[str, Json]) -> list[Problem]:
    """Credentials in `tree`; messages never hold them."""
    found: dict[TreePath, Problem] = {}
    for path, key, value in _walk(tree):
        if isinstance(key, str) and is_secret_name(key) and not _in_args(path):
            message = f"{field_name((key,))} looks like a credential, which no spec may hold"
            found[*path, key] = Problem((*path, key), "S207", message, _HINT, on_key=True)
        elif isinstance(value, str) and holds_secret(value, random=key in _NEVER_RANDOM):
            message = f"{field_name((*path, key))} holds what looks like a credential"
            found.setdefault((*path, key), Problem((*path, key), "S207", message, _HINT))
    return list(found.values())


def placeholder_problems(tree: Mapping[str, Json]) -> Iterator[Problem]:
    """Placeholders where the language has none."""
    for path, key, value in _walk(tree):
        if isinstance(value, str) and "${" in value and not _templated((*path, key)):
            if not _is_placeholder(value):
                continue
            hint = "write the value itself; `$${` stands for a literal `${`"
            message = f"{field_name((*path, key))} takes no placeholder"
            yield Problem((*path, key), "S209", message, hint)


def _templated(path: TreePath) -> bool:
    """Whether placeholders may stand at `path`."""
    if path[0] == "circuits":
        return len(path) > 2 and path[2] in _CIRCUIT
    return path[0] in _TOP


def _in_args(path: TreePath) -> bool:
    """Whether `path` lies where names are the user's own: generator arguments, parameters, axes."""
    if "sweep" in path[:3]:
        return True
    return path[0:1] == ("circuits",) and len(path) > 2 and path[2] in ("args", "parameters")


def _is_placeholder(text: str) -> bool:
    try:
        return bool(axes_in(text))
    except TemplateError:
        return True


def _walk(tree: Mapping[str, Json]) -> Iterator[tuple[TreePath, str | int, Json]]:
    """Every key and item of `tree` with the path of what holds it; scalar numbers are skipped."""
    stack: list[tuple[Json, TreePath]] = [(tree, ())]
    while stack:
        container, path = stack.pop()
        if isinstance(container, dict):
            for key, value in container.items():
                yield path, key, value
                if isinstance(value, dict | list):
                    stack.append((value, (*path, key)))
        elif isinstance(container, list):
            for index, value in enumerate(container):
                kind = type(value)
                if kind is str:
                    yield path, index, value
                elif kind is dict or kind is list:
                    stack.append((value, (*path, index)))
