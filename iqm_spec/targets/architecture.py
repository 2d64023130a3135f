"""Architectures: components, and the loci on which each native gate is calibrated."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any

from attrs import evolve, field, frozen

from iqm_spec.canonical import digest
from iqm_spec.json_types import Json

Locus = tuple[str, ...]
"""The components that a gate acts on: `("QB1",)`, `("QB1", "QB2")`, `("QB1", "CR1")`."""

FORMAT = "iqm-spec/architecture/1"
_REQUIRED = ("prx", "measure")
_ARITY = {"prx": 1, "cc_prx": 1, "reset": 1, "cz": 2, "move": 2}
_USED = {*_REQUIRED, *_ARITY}
"""Gates that circuits can use. Servers list others too (`delay`, `measure_fidelity`, `prx_12`,
`reset_wait`), which do not affect transpilation."""
_LONGEST_NAME = 100
_GATE_OF_OP = {"r": "prx", "cc_r": "cc_prx"}


@frozen
class Architecture:
    """Qubits, computational resonators and gate loci under one calibration set.

    `gates` maps IQM's gate names (`prx`, `cz`, `measure`, `move`, ...) to loci in a stable order.
    Every qubit has `prx` and `measure`: reading an architecture drops other qubits.
    """

    alias: str
    qubits: tuple[str, ...]
    resonators: tuple[str, ...]
    gates: Mapping[str, tuple[Locus, ...]] = field(hash=False)
    calibration_set_id: str | None
    source: str

    @property
    def num_qubits(self) -> int:
        """Number of qubits, resonators not counted."""
        return len(self.qubits)

    @cached_property
    def components(self) -> tuple[str, ...]:
        """Qubits in the server's order, then resonators: the order of `NativeCircuit`."""
        return self.qubits + self.resonators

    @cached_property
    def digest(self) -> str:
        """Sha256 of what transpilation depends on: components and loci, not names and dates."""
        data = dict(self.to_json())
        for key in ("alias", "calibration_set_id", "source"):
            del data[key]
        return digest(data)

    @cached_property
    def _loci(self) -> Mapping[str, frozenset[Locus]]:
        by_gate = {name: frozenset(loci) for name, loci in self.gates.items()}
        if "cz" in by_gate:
            by_gate["cz"] |= {tuple(reversed(locus)) for locus in by_gate["cz"]}
        by_gate["measure"] = frozenset((qubit,) for locus in by_gate["measure"] for qubit in locus)
        return by_gate

    def has(self, gate: str, locus: Locus) -> bool:
        """Whether `gate` (`r` stands for `prx`) is calibrated on `locus`; cz in either order."""
        return locus in self._loci.get(_GATE_OF_OP.get(gate, gate), frozenset())

    def to_json(self) -> Mapping[str, Json]:
        """JSON for `architecture_from_json`, with plain lists of loci."""
        return {
            "format": FORMAT,
            "alias": self.alias,
            "qubits": list(self.qubits),
            "computational_resonators": list(self.resonators),
            "gates": {name: [list(locus) for locus in loci] for name, loci in self.gates.items()},
            "calibration_set_id": self.calibration_set_id,
            "source": self.source,
        }


def restricted(
    architecture: Architecture, avoid: Collection[str] = (), region: Collection[str] = ()
) -> Architecture:
    """The architecture without qubits and couplings (`QB1-QB2`) to avoid, in a region if given.

    Resonators stay. Raises ValueError that names what the architecture lacks, or where no qubit is
    left.
    """
    if not avoid and not region:
        return architecture
    couplings = {
        f"{a}-{b}": frozenset((a, b))
        for gate in ("cz", "move")
        for locus in architecture.gates.get(gate, ())
        for a, b in (locus, locus[::-1])
    }
    for name in (*avoid, *region):
        if name not in architecture.qubits and (name in region or name not in couplings):
            raise ValueError(f"{architecture.alias} has no {name}")
    qubits = [
        name for name in architecture.qubits if name not in avoid and (not region or name in region)
    ]
    if not qubits:
        raise ValueError(f"no qubit of {architecture.alias} is left")
    kept = {*qubits, *architecture.resonators}
    closed = {couplings[name] for name in avoid if name in couplings}
    return evolve(
        architecture,
        qubits=tuple(qubits),
        gates={
            gate: tuple(
                locus for locus in loci if kept >= set(locus) and frozenset(locus) not in closed
            )
            for gate, loci in architecture.gates.items()
        },
    )


def features(architecture: Architecture) -> frozenset[str]:
    """Instructions beyond gates and measurements that the architecture supports.

    `delay` always; `reset` where a reset or a conditional `cc_prx` is calibrated; `if_else` where
    `cc_prx` is. No IQM quantum computer supports loops.
    """
    supported = {"delay"}
    if architecture.gates.get("cc_prx"):
        supported |= {"if_else", "reset"}
    if architecture.gates.get("reset"):
        supported.add("reset")
    return frozenset(supported)


def architecture_from_json(data: Any, alias: str) -> Architecture:
    """The architecture in IQM's dynamic quantum architecture.

    A gate is either `{"implementations": {name: {"loci": [...]}}}` (a locus counts when any
    implementation has it) or a plain list of loci. Drops gates that no circuit can use, and qubits
    without `prx` or `measure` with their loci, as iqm-client does. Raises ValueError that says what
    is wrong and where.
    """
    data = _mapping(data, "the architecture")
    qubits = _names(data.get("qubits"), "qubits")
    resonators = _names(data.get("computational_resonators", []), "computational_resonators")
    if both := set(qubits) & set(resonators):
        raise ValueError(f"{min(both)} is named both as a qubit and as a resonator")
    known = {*qubits, *resonators}
    gates = {
        str(name): _loci(str(name), value, known)
        for name, value in sorted(_mapping(data.get("gates"), "gates").items())
        if name in _USED
    }
    usable = list(qubits)
    for gate in _REQUIRED:
        acted_on = {name for locus in gates.get(gate, ()) for name in locus}
        usable = [qubit for qubit in usable if qubit in acted_on]
    if not usable:
        raise ValueError("no qubit has both `prx` and `measure`: nothing can run on this machine")
    components = {*usable, *resonators}
    calibration = data.get("calibration_set_id")
    if calibration is not None and not isinstance(calibration, str):
        raise ValueError(f"calibration_set_id must be text, got {calibration!r}")
    return Architecture(
        alias=alias,
        qubits=tuple(usable),
        resonators=resonators,
        gates={
            name: tuple(locus for locus in loci if components.issuperset(locus))
            for name, loci in gates.items()
        },
        calibration_set_id=calibration,
        source=str(data.get("source", "")),
    )


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} must be a mapping, got {type(value).__name__}")
    return value


def _is_name(value: Any) -> bool:
    """No commas, which separate names in error profiles; printable, for terminals."""
    is_short = isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME
    return is_short and value.isprintable() and "," not in value


def _names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(map(_is_name, value)):
        raise ValueError(f"{where} must be a list of component names such as QB1")
    if len(set(value)) < len(value):
        twice = next(name for name in value if value.count(name) > 1)
        raise ValueError(f"{where} names {twice} more than once")
    return tuple(value)


def _loci(gate: str, value: Any, known: set[str]) -> tuple[Locus, ...]:
    where = f"gates.{gate}"
    lists = [(where, value)]
    if isinstance(value, Mapping):
        lists = [
            (f"{where}.implementations.{name}.loci", _mapping(item, f"{where}.{name}").get("loci"))
            for name, item in _mapping(value.get("implementations"), where).items()
        ]
    all_loci = {locus for place, loci in lists for locus in _checked(gate, loci, known, place)}
    return tuple(sorted(all_loci, key=lambda locus: tuple(map(_natural, locus))))


def _checked(gate: str, loci: Any, known: set[str], where: str) -> list[Locus]:
    if not isinstance(loci, list | tuple):
        raise ValueError(f"{where} must be a list of loci such as [QB1, QB2]")
    checked = []
    for i, locus in enumerate(loci):
        names = _names(locus, f"{where}[{i}]")
        if unknown := [name for name in names if name not in known]:
            raise ValueError(f"{where}[{i}] names {unknown[0]}, which is not a component")
        if len(names) != _ARITY.get(gate, len(names) or 1):
            raise ValueError(
                f"{where}[{i}] has {len(names)} components, too few or many for {gate}"
            )
        checked.append(names)
    return checked


def _natural(name: str) -> tuple[str, int, str]:
    """A sort key that puts QB2 before QB10."""
    number = re.search(r"\d+", name)
    return re.sub(r"[^a-zA-Z]", "", name), int(number.group()) if number else 0, name
