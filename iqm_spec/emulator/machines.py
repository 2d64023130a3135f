"""The emulated computers: garnet, emerald, sirius, deneb and their mocks, and what they tell."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from uuid import NAMESPACE_URL, uuid5

from attrs import frozen

from iqm_spec.json_types import Json
from iqm_spec.targets import Architecture, ErrorProfile, architecture, error_profile, known

IMPLEMENTATIONS = {
    "prx": "drag_crf",
    "cc_prx": "prx_composite_drag_crf",
    "cz": "tgss",
    "move": "tgss_crf",
    "measure": "constant",
    "reset": "reset_conditional",
}
"""The implementation that each gate has in a dynamic quantum architecture here."""
_LIKE = {"cc_prx": "prx"}
"""Gates that err and last as another does; of `reset` nothing is told, as by IQM's servers."""
CALIBRATED = datetime(2026, 11, 1, tzinfo=UTC)
"""When the emulated calibration sets say that they were made."""
PRICE_PER_SECOND = "0.30"
"""Credits per QPU second. A placeholder: IQM's page starts at 0.30 dollars; each server tells its
own price, and what a credit costs is published nowhere."""


@frozen
class Computer:
    """One quantum computer of the server: the machine it is like, under an alias."""

    alias: str
    machine: str

    @property
    def is_mock(self) -> bool:
        """Whether its results are random bits."""
        return self.alias.endswith(":mock")

    @property
    def id(self) -> str:
        """Its id: the same in every emulator."""
        return str(stable_id("quantum-computer", self.alias))

    @property
    def display_name(self) -> str:
        """What a person reads."""
        return f"Emulated IQM {self.machine.capitalize()}{' mock' if self.is_mock else ''}"

    @property
    def architecture(self) -> Architecture:
        """Its qubits and gates."""
        return architecture(self.machine)

    @property
    def profile(self) -> ErrorProfile:
        """How much it errs."""
        profile = error_profile(self.machine)
        if profile is None:
            raise ValueError(f"{self.machine} has no error profile")
        return profile

    @property
    def price(self) -> str:
        """Credits per QPU second, as text; mocks are free."""
        return "0.00" if self.is_mock else PRICE_PER_SECOND

    @property
    def dut_label(self) -> str:
        """The label of its chip; a mock has another one than its machine, as IQM's have."""
        return f"EMULATED_{self.machine.upper()}{'_MOCK' if self.is_mock else ''}"


def stable_id(*words: object) -> object:
    """The uuid of these words, the same everywhere."""
    return uuid5(NAMESPACE_URL, "https://iqm-spec.invalid/emulator/" + "/".join(map(str, words)))


@cache
def computers(on_premises: str = "") -> Mapping[str, Computer]:
    """Computers by alias: one called `default` on premises, else each machine and its mock."""
    if on_premises:
        return {"default": Computer("default", on_premises)}
    found = [Computer(name, name) for name in known()]
    found += [Computer(f"{name}:mock", name) for name in known()]
    return {item.alias: item for item in found}


@cache
def dynamic_architecture(computer: Computer, calibration_set_id: str) -> Mapping[str, Json]:
    """The dynamic quantum architecture under a calibration set (iqm-client's model of it)."""
    arch = computer.architecture
    return {
        "calibration_set_id": calibration_set_id,
        "qubits": list(arch.qubits),
        "computational_resonators": list(arch.resonators),
        "gates": {
            gate: {
                "implementations": {
                    IMPLEMENTATIONS[gate]: {"loci": [list(locus) for locus in loci]}
                },
                "default_implementation": IMPLEMENTATIONS[gate],
                "override_default_implementation": {},
            }
            for gate, loci in arch.gates.items()
        },
    }


def static_architecture(computer: Computer) -> Mapping[str, Json]:
    """The static quantum architecture: components and which of them a coupler connects."""
    arch = computer.architecture
    pairs = {*arch.gates.get("cz", ()), *arch.gates.get("move", ())}
    return {
        "dut_label": computer.dut_label,
        "qubits": list(arch.qubits),
        "computational_resonators": list(arch.resonators),
        "connectivity": [list(pair) for pair in sorted(pairs)],
    }


def calibration_set(computer: Computer, calibration_set_id: str) -> Mapping[str, Json]:
    """A calibration set with its observations: gate durations in seconds."""
    durations = dict(computer.profile.durations)
    durations |= {gate: durations[like] for gate, like in _LIKE.items()}
    found = [
        (f"gates.{gate}.{IMPLEMENTATIONS[gate]}.{'__'.join(locus)}.duration", ns * 1e-9, "s")
        for gate, ns in durations.items()
        for locus in computer.architecture.gates.get(gate, ())
    ]
    return _observation_set(computer, "calibration-set", calibration_set_id, None, found)


def quality_metrics(computer: Computer, calibration_set_id: str) -> Mapping[str, Json]:
    """The quality metric set of a calibration set: T1, T2, gate and readout fidelities."""
    profile = computer.profile
    found: list[tuple[str, float, str]] = []
    for name, value in (("t1_time", profile.t1), ("t2_time", profile.t2)):
        found += [(f"characterization.model.{q}.{name}", ns * 1e-9, "s") for q, ns in value.items()]
    gates = computer.architecture.gates
    told = {**profile.depolarizing}
    told |= {gate: told[like] for gate, like in _LIKE.items() if gate in gates}
    for gate, errors in told.items():
        for locus, error in errors.items():
            place = f"{gate}.{IMPLEMENTATIONS[gate]}.{'__'.join(locus)}"
            dimension = 2 ** len(locus)
            fidelity = 1 - error * (dimension - 1) / dimension
            method = "rb" if gate == "prx" else "irb"
            found.append((f"metrics.{method}.{place}.fidelity", fidelity, ""))
    for qubit, (p10, p01) in profile.readout.items():
        place = f"metrics.ssro.measure.{IMPLEMENTATIONS['measure']}.{qubit}"
        found += [
            (f"{place}.error_0_to_1", p10, ""),
            (f"{place}.error_1_to_0", p01, ""),
            (f"{place}.fidelity", 1 - (p10 + p01) / 2, ""),
        ]
    own_id = str(stable_id("metrics", calibration_set_id))
    return _observation_set(computer, "quality-metric-set", own_id, calibration_set_id, found)


def _observation_set(
    computer: Computer,
    kind: str,
    set_id: str,
    describes: str | None,
    found: list[tuple[str, float, str]],
) -> Mapping[str, Json]:
    when = CALIBRATED.isoformat()
    return {
        "observation_set_type": kind,
        "observation_set_id": set_id,
        "describes_id": describes,
        "invalid": False,
        "dut_label": computer.dut_label,
        "created_timestamp": when,
        "end_timestamp": when,
        "observations": [
            {
                "observation_id": number,
                "dut_field": name,
                "value": value,
                "unit": unit,
                "uncertainty": None,
                "invalid": False,
                "created_timestamp": when,
                "modified_timestamp": when,
            }
            for number, (name, value, unit) in enumerate(found, start=1)
        ],
    }
