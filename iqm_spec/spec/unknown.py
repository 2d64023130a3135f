"""Fields that the language does not have, and what their writer most likely meant."""

from __future__ import annotations

from collections.abc import Iterable

from iqm_spec.diagnostics import Problem, TreePath, nearest
from iqm_spec.spec.schema import SECTIONS, fields
from iqm_spec.spec.words import field_name

_SYNONYMS = {
    "arguments": "args",
    "axes": "sweep",
    "backend": "target",
    "calibration_set": "calibration",
    "calibration_set_id": "calibration",
    "circuit": "circuits",
    "coupling_map": "architecture",
    "dd": "dynamical_decoupling",
    "dd_mode": "dynamical_decoupling",
    "file": "qasm",
    "function": "generator",
    "heralding_mode": "heralding",
    "initial_layout": "layout",
    "kind": "generator",
    "machine": "target",
    "max_credits": "credits",
    "noise_model": "noise",
    "nshots": "shots",
    "num_shots": "shots",
    "openqasm": "qasm",
    "params": "parameters",
    "path": "qasm",
    "qpu": "target",
    "quantum_computer": "target",
    "qubit_mapping": "layout",
    "repeats": "repeat",
    "repetitions": "repeat",
    "seed_simulator": "seed",
    "seed_transpiler": "seed",
    "simulator": "aer",
    "title": "name",
    "type": "generator",
    "url": "target",
    "version": "iqm_spec",
}
_ADVICE = {
    "num_qubits": "it is an argument of the generator: write it under `args`",
    "qubits": "write `layout` for physical qubits, `num_qubits` under `args` for their number",
    "server": "the server is chosen by --server or IQM_SERVER_URL, not by the spec",
    "use_timeslot": "write `mode: timeslot`",
    "values": "write `grid: {axis: [...]}`",
}


def problem(path: TreePath, name: str, known: Iterable[str]) -> Problem:
    """The unknown field `name` of the mapping at `path`, whose fields are `known`."""
    known = list(known)
    where = f" of {field_name(path)}" if path else ""
    message = f"there is no field {field_name((name,))}{where}"
    return Problem((*path, name), "S201", message, _hint(name, known), on_key=True)


def _hint(name: str, known: list[str]) -> str:
    word = name.lower().replace("-", "_")
    meant = word if word in known else _SYNONYMS.get(word, word)
    if meant in known:
        return f"did you mean {meant}?"
    if word in _ADVICE:
        return _ADVICE[word]
    return nearest(word, known) or _home(meant) or f"the fields here are {', '.join(known)}"


def _home(name: str) -> str:
    """Where a field stands that was written in the wrong place."""
    for section in (*SECTIONS, "circuits", "sweep", ""):
        if name in fields(section):
            if section in ("circuits", "sweep"):
                return f"`{name}` belongs into an entry of `{section}`"
            return f"`{name}` belongs {f'under `{section}`' if section else 'at the top level'}"
    return ""
