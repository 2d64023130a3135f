"""Layout, routing, translation to r and cz, and optimization by Qiskit's preset pass managers.

Qiskit sees a target without resonators. On a star, two qubits that share a resonator can do a CZ:
MOVE one of them into the resonator, CZ the other with it, MOVE back. Qiskit sees a CZ between the
two, and `moves` inserts the MOVEs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from attrs import asdict, frozen

from iqm_spec.diagnostics import nearest
from iqm_spec.errors import Refused
from iqm_spec.json_types import Json
from iqm_spec.targets import Architecture, ErrorProfile, features
from iqm_spec.targets.profile import locus_fidelity
from iqm_spec.transpile import clifford_blocks
from iqm_spec.transpile.conditional_pulses import conditional_r
from iqm_spec.transpile.measurement_order import early_measure, in_order, require_order

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import StagedPassManager, Target


LEVELS = (0, 1, 2, 3)

LAYOUT_METHODS = ("trivial", "dense", "sabre")

ROUTING_METHODS = ("basic", "lookahead", "sabre")

LARGEST_TRANSPILE_SEED = 2**31 - 1

_RESYNTHESIS_LEVEL = 2
"""The lowest optimization level at which Qiskit resynthesises two-qubit blocks."""

_STAGES = ("init", "layout", "routing", "translation", "optimization", "scheduling")


@frozen
class TranspileOptions:
    """Options of Qiskit's transpiler; None leaves a method to the optimization level.

    `verbatim`: the circuit is sent as it is written, without Qiskit.
    """

    optimization_level: int = 2
    seed: int = 0
    layout_method: str | None = None
    routing_method: str | None = None
    verbatim: bool = False


def options_from(values: Mapping[str, Json]) -> TranspileOptions:
    """Options from a spec's values, defaults filled in. Raises `Refused` for invalid ones."""
    values = {name: value for name, value in values.items() if name != "trials"}
    known = asdict(TranspileOptions())
    for name in values:
        if name not in known:
            raise Refused(f"unknown transpile option {name!r}", hint=nearest(name, known))
    _require_choice(values, "optimization_level", LEVELS)
    _require_choice(values, "layout_method", (None, *LAYOUT_METHODS))
    _require_choice(values, "routing_method", (None, *ROUTING_METHODS))
    seed = values.get("seed", 0)
    if type(seed) is not int or not 0 <= seed <= LARGEST_TRANSPILE_SEED:
        raise Refused(
            f"transpile seed must be a whole number from 0 to {LARGEST_TRANSPILE_SEED}: {seed!r}"
        )
    if not isinstance(values.get("verbatim", False), bool):
        raise Refused(f"transpile option verbatim is true or false, got {values['verbatim']!r}")
    return TranspileOptions(**values)  # type: ignore[arg-type]


def _require_choice(values: Mapping[str, Json], name: str, allowed: tuple[Json, ...]) -> None:
    if name in values and (isinstance(values[name], bool) or values[name] not in allowed):
        listed = ", ".join(str(item) for item in allowed if item is not None)
        raise Refused(f"transpile option {name} must be one of {listed}: got {values[name]!r}")


def route(
    circuit: QuantumCircuit,
    architecture: Architecture,
    options: TranspileOptions,
    layout: tuple[str, ...] | None,
    errors: ErrorProfile | None = None,
) -> QuantumCircuit:
    """`circuit` on the target's qubits in r, cz, measure, delay, reset, barrier and id.

    With `errors` Qiskit sees error rates, and prefers good couplings. Depends on the arguments and
    Qiskit's version only. Raises `Refused` where Qiskit fails.
    """
    from qiskit.transpiler.exceptions import TranspilerError

    circuit = in_order(circuit)
    passes = _pass_manager(architecture, options, layout, errors)
    try:
        if options.optimization_level < _RESYNTHESIS_LEVEL or not clifford_blocks.is_clifford(
            circuit
        ):
            routed = passes.run(circuit)
        else:
            from qiskit.transpiler import StagedPassManager

            stages = ("layout", "routing", "translation")
            routed = StagedPassManager(
                stages, **{stage: getattr(passes, stage) for stage in stages}
            ).run(clifford_blocks.prepare(circuit))
            routed = clifford_blocks.finish(routed, target_of(architecture))
    except TranspilerError as error:
        raise Refused(
            f"circuit {circuit.name} cannot be brought to {architecture.alias}: {error.message}",
            hint="its qubits must be coupled with each other: check `layout`, `avoid` and `region`",
            code="refused.transpile",
        ) from error
    require_order(routed)
    return routed


@lru_cache(maxsize=256)
def _pass_manager(
    architecture: Architecture,
    options: TranspileOptions,
    layout: tuple[str, ...] | None,
    errors: ErrorProfile | None,
) -> StagedPassManager:
    from qiskit.transpiler import generate_preset_pass_manager

    with _own_plugins_only():
        return generate_preset_pass_manager(
            optimization_level=options.optimization_level,
            target=target_of(architecture)
            if errors is None
            else _with_errors(architecture, errors),
            initial_layout=layout and [architecture.qubits.index(name) for name in layout],
            layout_method=options.layout_method,
            routing_method=options.routing_method,
            seed_transpiler=options.seed,
        )


@contextmanager
def _own_plugins_only() -> Iterator[None]:
    """Hide stage plugins of other packages from Qiskit while it builds a pass manager.

    To look up a plugin Qiskit imports all installed ones; iqm-client's take ten seconds, and
    results must not depend on what is installed. A stevedore without this cache costs only that
    time: no plugin but Qiskit's is requested.
    """
    from importlib.metadata import entry_points

    from stevedore import ExtensionManager

    cache = getattr(ExtensionManager, "ENTRY_POINT_CACHE", None)
    if cache is None:
        yield
        return
    groups = [f"qiskit.transpiler.{stage}" for stage in _STAGES]
    before = {group: cache[group] for group in groups if group in cache}
    for group in groups:
        cache[group] = [e for e in entry_points(group=group) if e.value.startswith("qiskit.")]
    try:
        yield
    finally:
        for group in groups:
            del cache[group]
        cache.update(before)


def cz_pairs(architecture: Architecture) -> tuple[tuple[str, str], ...]:
    """Qubit pairs that can do a CZ: directly, or through a resonator (then in both orders)."""
    qubits = set(architecture.qubits)
    loci = architecture.gates.get("cz", ())
    pairs = {(a, b): None for a, b in loci if a in qubits and b in qubits}
    for qubit, cz_resonator in loci:
        for mover, resonator in architecture.gates.get("move", ()):
            if cz_resonator == resonator and qubit != mover and qubit in qubits:
                pairs |= {(qubit, mover): None, (mover, qubit): None}
    return tuple(pairs)


def _with_errors(architecture: Architecture, errors: ErrorProfile) -> Target:
    """The target with error rates of `r`, `measure` and `cz`, as far as `errors` has them.

    A CZ through a resonator errs as the MOVE of one qubit and the CZ of the other.
    """
    from qiskit.transpiler import InstructionProperties

    target = target_of.__wrapped__(architecture)  # one of its own, which is changed here

    def tell(name: str, qargs: tuple[int, ...], fidelity: float | None) -> None:
        if fidelity is not None:
            properties = InstructionProperties(error=max(0.0, 1 - fidelity))
            target.update_instruction_properties(name, qargs, properties)

    for place, qubit in enumerate(architecture.qubits):
        tell("r", (place,), locus_fidelity(errors, "prx", (qubit,)))
        if qubit in errors.readout:
            tell("measure", (place,), 1 - sum(errors.readout[qubit]) / 2)
    for first, second in cz_pairs(architecture):
        ways = [locus_fidelity(errors, "cz", (first, second))]
        for resonator in architecture.resonators:
            gate = locus_fidelity(errors, "cz", (first, resonator))
            move = locus_fidelity(errors, "move", (second, resonator))
            ways.append(None if gate is None or move is None else gate * move**2)
        known = [way for way in ways if way is not None]
        places = architecture.qubits.index(first), architecture.qubits.index(second)
        tell("cz", places, max(known, default=None))
    return target


@lru_cache(maxsize=32)
def target_of(architecture: Architecture) -> Target:
    """The architecture as Qiskit's `Target`, without error rates; qubits are in its order."""
    from qiskit.circuit import Delay, Parameter, Reset
    from qiskit.circuit.library import CZGate, IGate, Measure, RGate
    from qiskit.transpiler import Target

    index = {name: i for i, name in enumerate(architecture.qubits)}
    all_qubits = {(i,): None for i in index.values()}
    target = Target(num_qubits=len(index))
    target.add_instruction(IGate(), dict(all_qubits))
    target.add_instruction(Delay(0), dict(all_qubits))
    target.add_instruction(Measure(), dict(all_qubits))
    target.add_instruction(early_measure(), dict(all_qubits))
    target.add_instruction(RGate(Parameter("theta"), Parameter("phi")), dict(all_qubits))
    if "reset" in features(architecture):
        loci = architecture.gates.get("reset") or architecture.gates["cc_prx"]
        target.add_instruction(Reset(), {(index[qubit],): None for (qubit,) in loci})
    if "if_else" in features(architecture):
        conditional = conditional_r(Parameter("theta"), Parameter("phi"))
        loci = architecture.gates["cc_prx"]
        target.add_instruction(conditional, {(index[qubit],): None for (qubit,) in loci})
    if pairs := cz_pairs(architecture):
        target.add_instruction(CZGate(), {(index[a], index[b]): None for a, b in pairs})
    return target
