"""The whole spec as JSON with every default filled in: what its digest is of.

Not in it: `description`, `analysis`, `budget`, `fail_fast` and `executor`, which change no result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict

from iqm_spec.diagnostics import TreePath
from iqm_spec.json_types import Json
from iqm_spec.model import AerOptions, CircuitSpec

_PLAIN = ("name", "target", "mode", "stages", "seed", "calibration", "require", "order")
_CIRCUIT = ("name", "args", "shots", "repeat", "layout", "transpile", "options", "target")


def meaning(
    given: Mapping[str, Any],
    aer: AerOptions,
    circuits: Sequence[CircuitSpec],
    data: Mapping[TreePath, Json],
) -> dict[str, Json]:
    """The meaning of a spec whose fields, defaults filled in, are `given`.

    Groups of a `zip` that came from a data file are told by its sha256, as `data` has it.
    """
    entries = given["circuits"]
    return {
        "iqm_spec": 1,
        **{name: given[name] for name in _PLAIN},
        "architecture": given.get("architecture"),
        "aer": asdict(aer),
        "sweep": _sweep(given, ("sweep",), data),
        **({"readout_mitigation": True} if given.get("readout_mitigation") else {}),
        "circuits": [_circuit(entry, entries[entry.index], data) for entry in circuits],
    }


def _circuit(
    circuit: CircuitSpec, entry: Mapping[str, Any], data: Mapping[TreePath, Json]
) -> dict[str, Json]:
    return {
        circuit.kind.value: circuit.ref,
        **{name: getattr(circuit, name) for name in _CIRCUIT},
        "parameters": "by-name" if circuit.by_name else circuit.parameters,
        "sweep": _sweep(entry, (*circuit.path, "sweep"), data),
        **({} if circuit.every is None else {"every": circuit.every}),
        **({"priority": circuit.priority} if circuit.priority else {}),
        **({"memory": True} if circuit.memory else {}),
    }


def _sweep(holder: Mapping[str, Any], path: TreePath, data: Mapping[TreePath, Json]) -> list[Json]:
    """Blocks, less the priority that they would have without a word of it."""
    return [
        {
            name: _groups(value, (*path, i, name), data) if name == "zip" else value
            for name, value in block.items()
            if name != "priority" or value
        }
        for i, block in enumerate(holder.get("sweep", ()))
    ]


def _groups(groups: Sequence[Json], path: TreePath, data: Mapping[TreePath, Json]) -> list[Json]:
    return [data.get((*path, i), group) for i, group in enumerate(groups)]
