"""Qiskit's preset pass managers: layout, routing, translation to r and cz, optimization."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from iqm_spec.errors import Refused
from iqm_spec.targets import Architecture
from iqm_spec.transpile import clifford
from iqm_spec.transpile.options import TranspileOptions
from iqm_spec.transpile.target import target_of
from iqm_spec.transpile.writes import in_order, require_order

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import StagedPassManager

_RESYNTHESISES = 2
"""The lowest optimization level at which Qiskit resynthesises two-qubit blocks."""
_STAGES = ("init", "layout", "routing", "translation", "optimization", "scheduling")


def route(
    circuit: QuantumCircuit,
    architecture: Architecture,
    options: TranspileOptions,
    layout: tuple[str, ...] | None,
) -> QuantumCircuit:
    """`circuit` on the machine's qubits in r, cz, measure, delay, reset, barrier and id.

    Depends on nothing but the arguments and Qiskit's version. `Refused` where Qiskit finds no way.
    """
    from qiskit.transpiler.exceptions import TranspilerError

    circuit = in_order(circuit)
    passes = _pass_manager(architecture, options, layout)
    try:
        if options.optimization_level < _RESYNTHESISES or not clifford.is_clifford(circuit):
            routed = passes.run(circuit)
        else:
            routed = _between(passes).run(clifford.prepare(circuit))
            routed = clifford.finish(routed, target_of(architecture))
    except TranspilerError as error:
        raise Refused(
            f"circuit {circuit.name} cannot be brought to {architecture.alias}: {error.message}",
            code="refused.transpile",
        ) from error
    require_order(routed)
    return routed


@lru_cache(maxsize=256)
def _pass_manager(
    architecture: Architecture, options: TranspileOptions, layout: tuple[str, ...] | None
) -> StagedPassManager:
    from qiskit.transpiler import generate_preset_pass_manager

    with _own_plugins_only():
        return generate_preset_pass_manager(
            optimization_level=options.optimization_level,
            target=target_of(architecture),
            initial_layout=layout and [architecture.qubits.index(name) for name in layout],
            layout_method=options.layout_method,
            routing_method=options.routing_method,
            seed_transpiler=options.seed,
        )


def _between(passes: StagedPassManager) -> StagedPassManager:
    """Layout, routing and translation alone."""
    from qiskit.transpiler import StagedPassManager

    stages = ("layout", "routing", "translation")
    return StagedPassManager(stages, **{stage: getattr(passes, stage) for stage in stages})


@contextmanager
def _own_plugins_only() -> Iterator[None]:
    """Lets Qiskit see its own stage plugins alone while a pass manager is built.

    Qiskit imports every installed plugin to look one up; iqm-client's take ten seconds, and what
    happens to be installed must not matter. A stevedore without this cache only costs that time:
    no plugin is asked for but Qiskit's.
    """
    from importlib.metadata import entry_points

    from stevedore import ExtensionManager

    seen = getattr(ExtensionManager, "ENTRY_POINT_CACHE", None)
    if seen is None:
        yield
        return
    groups = [f"qiskit.transpiler.{stage}" for stage in _STAGES]
    before = {group: seen[group] for group in groups if group in seen}
    for group in groups:
        seen[group] = [e for e in entry_points(group=group) if e.value.startswith("qiskit.")]
    try:
        yield
    finally:
        for group in groups:
            del seen[group]
        seen.update(before)
