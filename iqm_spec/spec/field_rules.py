"""Rules that a JSON Schema cannot say, or not in plain words, over a spec's tree.

Of `circuits`: one source each, and a name of its own. Between fields: targets with modes and
stages, orders, options that exclude each other. Of every text: no secrets, and placeholders only
where the language has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from iqm_spec.diagnostics import Problem, TreePath
from iqm_spec.json_types import Json
from iqm_spec.model import Mode, SourceKind, StageName
from iqm_spec.source.secrets import holds_secret, is_secret_name
from iqm_spec.spec.phrases import field_name, quoted
from iqm_spec.spec.sweep_points import TEMPLATED_FIELDS
from iqm_spec.spec.targets import SpecTargets, parts_with_fields
from iqm_spec.spec.template import TemplateError, axes_in

SOURCES = tuple(kind.value for kind in SourceKind)


def circuit_problems(tree: Mapping[str, Json]) -> list[Problem]:
    """What is wrong in the entries of `circuits` beyond the schema."""
    circuits = tree.get("circuits")
    if not isinstance(circuits, list):
        return []
    entries = [(i, entry) for i, entry in enumerate(circuits) if isinstance(entry, dict)]
    problems = [problem for i, entry in entries for problem in _source_problems(i, entry)]
    problems += _same_names(entries)
    problems += _beside_verbatim(tree, entries)
    return problems


def source_of(entry: Mapping[str, Json]) -> str:
    """The field that says where a circuit comes from, or an empty string."""
    return next((name for name in SOURCES if name in entry), "")


def default_name(kind: str, ref: str) -> str:
    """A circuit's name where none is given: the file's stem, or the generator's last part."""
    if kind == SourceKind.GENERATOR.value:
        return re.split(r"[:.]", ref)[-1]
    return re.sub(r"\.[^./]*\Z", "", ref.replace("\\", "/").rsplit("/", 1)[-1])


def _source_problems(index: int, entry: Mapping[str, Json]) -> Iterator[Problem]:
    path: TreePath = ("circuits", index)
    sources = [name for name in SOURCES if name in entry]
    if not sources:
        message = "a circuit needs one of `generator`, `qasm`, `qpy` and `stim`"
        yield Problem(path, "S202", message, "add `generator: ghz`, for instance")
        return
    for other in sources[1:]:
        message = f"a circuit has one source, but `{sources[0]}` and `{other}` are both given"
        hint = "make two entries, or remove one of the two"
        yield Problem((*path, other), "S206", message, hint, on_key=True)
    if sources[0] == "generator" and "parameters" in entry:
        message = "`parameters` are those of a circuit file; a generator takes `args`"
        yield Problem((*path, "parameters"), "S206", message, "write `args`", on_key=True)
    if sources[0] != "generator" and "args" in entry:
        message = "`args` are those of a generator; a circuit file takes `parameters`"
        yield Problem((*path, "args"), "S206", message, "write `parameters`", on_key=True)
    if "every" in entry and "repeat" in entry:
        message = "`every` says how often a reference circuit is measured; `repeat` says it too"
        yield Problem((*path, "every"), "S206", message, "remove one of the two", on_key=True)
    if "name" not in entry and "${" in str(entry[sources[0]]):
        message = f"a circuit whose `{sources[0]}` holds a placeholder needs a name"
        yield Problem((*path, "name"), "S202", message, "add `name: ...`")


def _beside_verbatim(
    tree: Mapping[str, Json], entries: list[tuple[int, dict[str, Json]]]
) -> Iterator[Problem]:
    """Options of transpiling that do nothing, since nothing is transpiled."""
    common = _options(tree)
    own: list[tuple[TreePath, Mapping[str, Json]]] = (
        [((), common)] if common.get("verbatim") is True else []
    )
    own += [
        (("circuits", i), options)
        for i, entry in entries
        if {**common, **(options := _options(entry))}.get("verbatim") is True
    ]
    for path, options in own:
        for name in options:
            if name != "verbatim":
                message = f"`{name}` does nothing beside `verbatim: true`"
                hint = "what is sent verbatim is not transpiled; remove it"
                yield Problem((*path, "transpile", name), "S206", message, hint, on_key=True)


def _options(holder: Mapping[str, Json]) -> Mapping[str, Json]:
    options = holder.get("transpile")
    return options if isinstance(options, dict) else {}


def _same_names(entries: list[tuple[int, dict[str, Json]]]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, entry in entries:
        source = source_of(entry)
        ref = entry.get(source)
        name = entry.get("name", default_name(source, ref) if isinstance(ref, str) else None)
        if not isinstance(name, str) or ("name" not in entry and "${" in name):
            continue
        other = first.setdefault(name, index)
        if other != index:
            message = f"circuits {other + 1} and {index + 1} have the same name, {quoted(name)}"
            hint = "give each a `name:` of its own"
            field = "name" if "name" in entry else source
            yield Problem(("circuits", index, field), "S410", message, hint)


# --- between fields ------------------------------------------------------------------------------

_STAGES = tuple(stage.value for stage in StageName)
_MOVE_VALIDATION = "move_gate_validation"


def experiment_problems(tree: Mapping[str, Json], targets: SpecTargets) -> Iterator[Problem]:
    """What fields of `tree` say against each other."""
    for path, ref in targets.refs.items():
        if ref.mode is Mode.TIMESLOT and targets.mode is not Mode.TIMESLOT:
            if tree.get("mode"):
                message = f"`:timeslot` means `mode: timeslot`, but `mode` is {targets.mode}"
            else:
                message = "a spec has one mode, and this circuit's target names another"
            hint = "write `mode: timeslot` at the top, and the target without `:timeslot`"
            yield Problem(path, "S505", message, hint)
        stages = tree.get("stages")
        if ref.mock and isinstance(stages, list) and StageName.HARDWARE.value in stages:
            message = "a `:mock` target has no hardware, but `stages` names it"
            hint = f"write `target: {ref.alias}`; the mock stage uses its mock by itself"
            yield Problem(path, "S505", message, hint)
    yield from _stage_problems(tree)
    for path, holder in parts_with_fields(tree):
        yield from _layout_problems(holder.get("layout"), (*path, "layout"))
        # IQM's own rule (iqm-client, CircuitCompilationOptions)
        options = holder.get("options")
        if not isinstance(options, dict) or options.get(_MOVE_VALIDATION) != "none":
            continue
        if options.get("move_gate_frame_tracking", "full") == "full":
            message = "without MOVE gate validation the server cannot track frames fully"
            hint = "add `move_gate_frame_tracking: none` or `no_detuning_correction`"
            where = (*path, "options", _MOVE_VALIDATION)
            yield Problem(where, "S206", message, hint)


def _stage_problems(tree: Mapping[str, Json]) -> Iterator[Problem]:
    """The order of stages, requirements of stages, and what no circuit can be simulated by."""
    stages = tree.get("stages", [StageName.AER.value])
    if not isinstance(stages, list) or not all(stage in _STAGES for stage in stages):
        return
    ordered = sorted(set(stages), key=_STAGES.index)
    if len(ordered) == len(stages) and ordered != stages:
        hint = f"write [{', '.join(ordered)}]"
        yield Problem(("stages",), "S204", "`stages` run in the order aer, mock, hardware", hint)
    require, aer = tree.get("require"), tree.get("aer")
    # a requirement of the mock stage concerns hardware, too, which waits for the mock
    needed = {"aer": {"aer"}, "mock": {"mock", "hardware"}}
    for stage in require if stages and isinstance(require, dict) else ():
        if stage in needed and not needed[stage] & set(stages):
            message = f"`require` names the stage {stage}, which `stages` lacks"
            hint = f"add `{stage}` to `stages`, or remove the requirement"
            yield Problem(("require", stage), "S206", message, hint, on_key=True)
    if not isinstance(aer, dict) or StageName.AER.value not in stages:
        return
    if aer.get("noise") == "ideal" and aer.get("idle") is True:
        message = "an ideal simulation has no idle noise"
        hint = "remove `idle`, or write `noise: calibration` or `device`"
        yield Problem(("aer", "idle"), "S206", message, hint)
    if aer.get("method") == "stabilizer" and aer.get("noise", "device") != "ideal":
        message = "the stabilizer method cannot simulate noise: relaxation is not a Pauli error"
        hint = "add `noise: ideal`, or leave `method` out to have one chosen"
        yield Problem(("aer", "method"), "S206", message, hint)


def _layout_problems(layout: Json, path: TreePath) -> Iterator[Problem]:
    if not isinstance(layout, list):
        return
    first: dict[str, int] = {}
    for index, name in enumerate(layout):
        if isinstance(name, str) and "${" not in name and first.setdefault(name, index) != index:
            message = f"{quoted(name)} stands for qubits {first[name]} and {index} of the circuit"
            yield Problem((*path, index), "S504", message, "each component takes one qubit")


# --- every text ----------------------------------------------------------------------------------

_CREDENTIAL_ADVICE = "tokens come from IQM_TOKEN or IQM_TOKENS_FILE; if this one is real, revoke it"
_TEMPLATED_AT_TOP = frozenset(("target", "shots", "repeat", "layout", "transpile", "options"))
_TEMPLATED_IN_CIRCUITS = (frozenset(TEMPLATED_FIELDS) - {"ref"}) | {
    kind.value for kind in SourceKind
}
# where a long run of random characters can only be a credential
_NEVER_RANDOM = frozenset(("target", "server", "url"))


def secret_problems(tree: Mapping[str, Json]) -> list[Problem]:
    """Credentials in `tree`; messages never hold them."""
    problems: dict[TreePath, Problem] = {}
    for path, key, value in _walk(tree):
        if isinstance(key, str) and is_secret_name(key) and not _in_args(path):
            message = f"{field_name((key,))} looks like a credential, which no spec may hold"
            problems[*path, key] = Problem(
                (*path, key), "S207", message, _CREDENTIAL_ADVICE, on_key=True
            )
        elif isinstance(value, str) and holds_secret(value, random=key in _NEVER_RANDOM):
            message = f"{field_name((*path, key))} holds what looks like a credential"
            problems.setdefault(
                (*path, key), Problem((*path, key), "S207", message, _CREDENTIAL_ADVICE)
            )
    return list(problems.values())


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
        return len(path) > 2 and path[2] in _TEMPLATED_IN_CIRCUITS
    return path[0] in _TEMPLATED_AT_TOP


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
