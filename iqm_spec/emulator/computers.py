"""The emulated computers: garnet, emerald, sirius, deneb, their mocks and calibration sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from uuid import NAMESPACE_URL, uuid5

from attrs import frozen

from iqm_spec.emulator.messages import ApiError
from iqm_spec.emulator.state import State
from iqm_spec.json_types import Json
from iqm_spec.targets import (
    Architecture,
    ErrorProfile,
    Locus,
    architecture,
    error_profile,
    known_targets,
)
from iqm_spec.targets.profile import average_fidelity

IMPLEMENTATIONS = {
    "prx": "drag_crf",
    "cc_prx": "prx_composite_drag_crf",
    "cz": "tgss",
    "move": "tgss_crf",
    "measure": "constant",
    "reset": "reset_conditional",
    "measure_fidelity": "constant",
    "prx_12": "modulated_drag_crf",
    "reset_wait": "reset_wait",
    "delay": "wait",
}
"""The implementation that each gate has in a dynamic quantum architecture here."""
ON_EVERY_QUBIT = ("delay", "measure_fidelity", "prx_12", "reset_wait")
"""Gates that IQM's servers list besides those that circuits use."""
_LIKE = {"cc_prx": "prx"}
"""Gates that last as another does."""
_METHODS = {"prx": "rb"}
"""How IQM measures a gate's fidelity; `irb` where nothing stands here."""
CALIBRATED = datetime(2026, 11, 1, tzinfo=UTC)
"""When the emulated calibration sets say that they were made."""
PRICE_PER_SECOND = "0.30"
"""Credits per QPU second. A placeholder: IQM's page starts at 0.30 dollars; each server states its
own price, and what a credit costs is published nowhere."""


@frozen
class EmulatedComputer:
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
def computers(on_premises: str = "") -> Mapping[str, EmulatedComputer]:
    """Computers by alias: one called `default` on premises, else each machine and its mock."""
    if on_premises:
        return {"default": EmulatedComputer("default", on_premises)}
    listed = [EmulatedComputer(name, name) for name in known_targets()]
    listed += [EmulatedComputer(f"{name}:mock", name) for name in known_targets()]
    return {item.alias: item for item in listed}


@cache
def dynamic_architecture(computer: EmulatedComputer, calibration_set_id: str) -> Mapping[str, Json]:
    """The dynamic quantum architecture under a calibration set (iqm-client's model of it)."""
    arch = computer.architecture
    every_qubit = tuple((qubit,) for qubit in arch.qubits)
    gates = {**arch.gates, **dict.fromkeys(ON_EVERY_QUBIT, every_qubit)}
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
            for gate, loci in sorted(gates.items())
        },
    }


def static_architecture(computer: EmulatedComputer, dut_label: str) -> Mapping[str, Json]:
    """The static quantum architecture: components and which of them a coupler connects.

    iqm-client's facade backends compare it as it is, label and order of couplings included.
    """
    arch = computer.architecture
    return {
        "dut_label": dut_label,
        "qubits": list(arch.qubits),
        "computational_resonators": list(arch.resonators),
        "connectivity": [list(pair) for pair in couplings(arch)],
    }


def couplings(arch: Architecture) -> list[Locus]:
    """Pairs of components that a coupler connects, in IQM's order."""
    pairs = {
        tuple(sorted(pair, key=_by_number))
        for pair in (*arch.gates.get("cz", ()), *arch.gates.get("move", ()))
    }
    return sorted(pairs, key=lambda pair: [_by_number(name) for name in pair])


def _by_number(name: str) -> tuple[str, int]:
    """Sorts CR1 before QB2, and QB2 before QB10."""
    letters = name.rstrip("0123456789")
    return letters, int(name[len(letters) :] or 0)


def calibration_set(
    computer: EmulatedComputer, calibration_set_id: str, dut_label: str
) -> Mapping[str, Json]:
    """A calibration set with its observations: gate durations in seconds."""
    durations = dict(computer.profile.durations)
    durations |= {gate: durations[like] for gate, like in _LIKE.items()}
    values = [
        (f"gates.{gate}.{IMPLEMENTATIONS[gate]}.{'__'.join(locus)}.duration", ns * 1e-9, "s")
        for gate, ns in durations.items()
        for locus in computer.architecture.gates.get(gate, ())
    ]
    return _observation_set(dut_label, "calibration-set", calibration_set_id, None, values)


def quality_metrics(
    computer: EmulatedComputer, calibration_set_id: str, dut_label: str
) -> Mapping[str, Json]:
    """The quality metric set of a calibration set: T1, T2, gate and readout fidelities.

    They are the average fidelities of the channels that a job is simulated with.
    """
    profile = computer.profile
    coherence = [
        (f"characterization.model.{name}.{quantity}", ns * 1e-9, "s")
        for quantity, times in (("t1_time", profile.t1), ("t2_time", profile.t2))
        for name, ns in times.items()
    ]
    values = [*coherence, *_gate_fidelities(computer), *_readout(computer)]
    own_id = str(stable_id("metrics", calibration_set_id))
    return _observation_set(dut_label, "quality-metric-set", own_id, calibration_set_id, values)


_Value = tuple[str, float, str]
"""Name, value and unit of an observation."""


def _gate_fidelities(computer: EmulatedComputer) -> Iterator[_Value]:
    """Fidelities per gate (`par=d2`), a suffix that those of resonators do not have."""
    profile, resonators = computer.profile, set(computer.architecture.resonators)
    for gate, errors in profile.depolarizing.items():
        method = _METHODS.get(gate, "irb")
        for locus, error in errors.items():
            times = [(profile.t1[name], profile.t2[name]) for name in locus]
            fidelity = average_fidelity(error, times, profile.durations.get(gate, 0.0))
            place = f"{gate}.{IMPLEMENTATIONS[gate]}.{'__'.join(locus)}"
            suffix = "" if set(locus) & resonators else ":par=d2"
            yield f"metrics.{method}.{place}.fidelity{suffix}", fidelity, ""


def _readout(computer: EmulatedComputer) -> Iterator[_Value]:
    """Of both readouts, and how often two readouts in a row agree."""
    for qubit, (up, down) in computer.profile.readout.items():
        for gate in ("measure", "measure_fidelity"):
            place = f"metrics.ssro.{gate}.{IMPLEMENTATIONS[gate]}.{qubit}"
            yield f"{place}.error_0_to_1", up, ""
            yield f"{place}.error_1_to_0", down, ""
            yield f"{place}.fidelity", 1 - (up + down) / 2, ""
        agree = 1 - up * (1 - up) - down * (1 - down)
        place = f"metrics.qndness.measure.{IMPLEMENTATIONS['measure']}.{qubit}"
        yield f"{place}.fidelity", agree, ""
        yield f"{place}.repeatability", agree, ""


def _observation_set(
    dut_label: str, kind: str, set_id: str, describes: str | None, values: Sequence[_Value]
) -> Mapping[str, Json]:
    when = CALIBRATED.isoformat()
    return {
        "observation_set_type": kind,
        "observation_set_id": set_id,
        "describes_id": describes,
        "invalid": False,
        "dut_label": dut_label,
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
            for number, (name, value, unit) in enumerate(values, start=1)
        ],
    }


AT_FIRST = 2
"""Calibration sets that every computer has from the start: the default and an older one."""


@frozen
class Calibration:
    """A computer's sets are numbered from 0; the default is the newest unless moved back."""

    computer: EmulatedComputer
    default: int
    newest: int
    withdrawn: frozenset[int]

    def set_id(self, number: int) -> str:
        """The id of a set: the same in every emulator."""
        return str(stable_id("calibration-set", self.computer.alias, number))

    def resolve(self, set_id: str | None) -> str:
        """The id of the set that is asked for, None or `default` being the default; 404 if gone."""
        if set_id in (None, "default"):
            return self.set_id(self.default)
        for number in range(self.newest + 1):
            if number not in self.withdrawn and self.set_id(number) == str(set_id).lower():
                return self.set_id(number)
        raise ApiError(
            404,
            "calibration_set_not_found",
            f"there is no calibration set {set_id} for {self.computer.alias}",
        )


def calibration(state: State, computer: EmulatedComputer) -> Calibration:
    """What holds now."""
    data = state.read(_file(computer)) or {"default": AT_FIRST - 1, "newest": AT_FIRST - 1}
    return Calibration(
        computer, data["default"], data["newest"], frozenset(data.get("withdrawn", ()))
    )


def move_default(state: State, computer: EmulatedComputer) -> Calibration:
    """Make a new calibration set the default; the sets before it stay."""
    with state.lock(f"calibration-{computer.id}"):
        now = calibration(state, computer)
        return _store(state, computer, now.newest + 1, now.newest + 1, now.withdrawn)


def withdraw(state: State, computer: EmulatedComputer, set_id: str | None = None) -> Calibration:
    """Take a set away, the default one unless another is named; a new one is then the default."""
    with state.lock(f"calibration-{computer.id}"):
        now = calibration(state, computer)
        resolved = now.resolve(set_id)
        number = next(i for i in range(now.newest + 1) if now.set_id(i) == resolved)
        withdrawn = now.withdrawn | {number}
        if number != now.default:
            return _store(state, computer, now.default, now.newest, withdrawn)
        return _store(state, computer, now.newest + 1, now.newest + 1, withdrawn)


def _store(
    state: State, computer: EmulatedComputer, default: int, newest: int, withdrawn: frozenset[int]
) -> Calibration:
    data: Json = {"default": default, "newest": newest, "withdrawn": sorted(withdrawn)}
    state.write(_file(computer), data)
    return calibration(state, computer)


def _file(computer: EmulatedComputer) -> str:
    return f"calibration/{computer.id}.json"
