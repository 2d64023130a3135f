"""The emulated computers: garnet, emerald, sirius, deneb, their mocks and calibration sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import NAMESPACE_URL, uuid5

from attrs import evolve, field, frozen

from iqm_spec.emulator.deviation import (
    ALL_EVEN,
    AT_START,
    EVEN,
    Deviation,
    Unevenness,
    deviating_profile,
    unevenness,
)
from iqm_spec.emulator.messages import ApiError
from iqm_spec.emulator.state import State
from iqm_spec.json_types import Json
from iqm_spec.targets import Architecture, ErrorProfile, Locus, architecture, known_targets
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
"""When the emulated calibration sets say that they were made: all that are as built in."""
BETWEEN_SETS = timedelta(hours=6)
"""Between the calibration sets of a machine whose figures move."""
UNCERTAINTY = 0.03
"""Standard error of a time in units of the time, of a fidelity in units of its error."""
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
        """How much it errs, as built in."""
        return self.profile_under(EVEN)

    def profile_under(self, deviation: Deviation) -> ErrorProfile:
        """How much it errs under a calibration set."""
        return deviating_profile(self.machine, deviation)

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
    computer: EmulatedComputer,
    calibration_set_id: str,
    dut_label: str,
    deviation: Deviation = EVEN,
) -> Mapping[str, Json]:
    """A calibration set with its observations: gate durations in seconds."""
    durations = dict(computer.profile.durations)
    durations |= {gate: durations[like] for gate, like in _LIKE.items()}
    values = [
        _Value(f"gates.{gate}.{IMPLEMENTATIONS[gate]}.{'__'.join(locus)}.duration", ns * 1e-9, "s")
        for gate, ns in durations.items()
        for locus in computer.architecture.gates.get(gate, ())
    ]
    kind = "calibration-set"
    return _observation_set(dut_label, kind, calibration_set_id, None, values, deviation)


def quality_metrics(
    computer: EmulatedComputer,
    calibration_set_id: str,
    dut_label: str,
    deviation: Deviation = EVEN,
) -> Mapping[str, Json]:
    """The quality metric set of a calibration set: T1, T2, gate and readout fidelities.

    They are the average fidelities of the channels that a job is simulated with. Figures that
    deviate from those that are built in have uncertainties, and qubits then have the T2 of an echo:
    nothing in the simulation is slow, so that it is that of a Ramsey experiment.
    """
    profile = computer.profile_under(deviation)
    times = [("t1_time", profile.t1), ("t2_time", profile.t2)]
    if not deviation.is_even:
        qubits = computer.architecture.qubits
        times.append(("t2_echo_time", {name: profile.t2[name] for name in qubits}))
    coherence = [
        _Value(f"characterization.model.{name}.{quantity}", ns * 1e-9, "s", ns * 1e-9)
        for quantity, by_name in times
        for name, ns in by_name.items()
    ]
    resonators = frozenset(computer.architecture.resonators)
    values = [*coherence, *_gate_fidelities(profile, resonators), *_readout(profile)]
    own_id = str(stable_id("metrics", calibration_set_id))
    kind = "quality-metric-set"
    return _observation_set(dut_label, kind, own_id, calibration_set_id, values, deviation)


@frozen
class _Value:
    """An observation. `scale` is the time or the error that an uncertainty is a share of."""

    name: str
    value: float
    unit: str = ""
    scale: float | None = None


def _gate_fidelities(profile: ErrorProfile, resonators: frozenset[str]) -> Iterator[_Value]:
    """Fidelities per gate (`par=d2`), a suffix that those of resonators do not have."""
    for gate, errors in profile.depolarizing.items():
        method = _METHODS.get(gate, "irb")
        for locus, error in errors.items():
            times = [(profile.t1[name], profile.t2[name]) for name in locus]
            fidelity = average_fidelity(error, times, profile.durations.get(gate, 0.0))
            place = f"{gate}.{IMPLEMENTATIONS[gate]}.{'__'.join(locus)}"
            suffix = "" if resonators.intersection(locus) else ":par=d2"
            yield _fidelity(f"metrics.{method}.{place}.fidelity{suffix}", fidelity)


def _readout(profile: ErrorProfile) -> Iterator[_Value]:
    """Of both readouts, and how often two readouts in a row agree."""
    for qubit, (up, down) in profile.readout.items():
        for gate in ("measure", "measure_fidelity"):
            place = f"metrics.ssro.{gate}.{IMPLEMENTATIONS[gate]}.{qubit}"
            yield _Value(f"{place}.error_0_to_1", up, scale=up)
            yield _Value(f"{place}.error_1_to_0", down, scale=down)
            yield _fidelity(f"{place}.fidelity", 1 - (up + down) / 2)
        agree = 1 - up * (1 - up) - down * (1 - down)
        place = f"metrics.qndness.measure.{IMPLEMENTATIONS['measure']}.{qubit}"
        yield _fidelity(f"{place}.fidelity", agree)
        yield _fidelity(f"{place}.repeatability", agree)


def _fidelity(name: str, value: float) -> _Value:
    return _Value(name, value, scale=1 - value)


def _observation_set(
    dut_label: str,
    kind: str,
    set_id: str,
    describes: str | None,
    values: Sequence[_Value],
    deviation: Deviation,
) -> Mapping[str, Json]:
    age = 0 if deviation.is_even else deviation.number - AT_START
    when = (CALIBRATED + age * BETWEEN_SETS).isoformat()

    def uncertainty(item: _Value) -> float | None:
        return None if deviation.is_even or item.scale is None else UNCERTAINTY * item.scale

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
                "dut_field": item.name,
                "value": item.value,
                "unit": item.unit,
                "uncertainty": uncertainty(item),
                "invalid": False,
                "created_timestamp": when,
                "modified_timestamp": when,
            }
            for number, item in enumerate(values, start=1)
        ],
    }


@frozen
class Calibration:
    """A computer's sets are numbered from 0; the default is the newest unless moved back.

    `drifts` says by how much a set moved the figures of the one before.
    """

    computer: EmulatedComputer
    default: int
    newest: int
    withdrawn: frozenset[int]
    machines: Unevenness = ALL_EVEN
    drifts: Mapping[int, float] = field(factory=dict)

    def set_id(self, number: int) -> str:
        """The id of a set: the same in every emulator where its figures are."""
        identity = self.deviation_of(number).identity
        return str(stable_id("calibration-set", self.computer.alias, number, *identity))

    def resolve(self, set_id: str | None) -> str:
        """The id of the set that is asked for, None or `default` being the default; 404 if gone."""
        return self.set_id(self._number(set_id))

    def deviation(self, set_id: str | None) -> Deviation:
        """How far the figures of the set that `resolve` gives are from those that are built in."""
        return self.deviation_of(self._number(set_id))

    def deviation_of(self, number: int) -> Deviation:
        """How far the figures of a set are from those that are built in."""
        machines = self.machines
        steps = [(step, self.drifts.get(step, 0.0)) for step in range(AT_START + 1, number + 1)]
        if number < AT_START:
            steps = [(step, -machines.usual_drift) for step in range(number, AT_START)]
        moved = tuple((step, size) for step, size in steps if size)
        seed = machines.seed if machines.spread or moved else 0
        return Deviation(machines.spread, seed, moved, number, machines.relaxes_idle)

    def _number(self, set_id: str | None) -> int:
        if set_id in (None, "default"):
            return self.default
        for number in range(self.newest + 1):
            if number not in self.withdrawn and self.set_id(number) == str(set_id).lower():
                return number
        raise ApiError(
            404,
            "calibration_set_not_found",
            f"there is no calibration set {set_id} for {self.computer.alias}",
        )


def calibration(state: State, computer: EmulatedComputer) -> Calibration:
    """What holds now."""
    data = state.read(_file(computer)) or {"default": AT_START, "newest": AT_START}
    return Calibration(
        computer,
        data["default"],
        data["newest"],
        frozenset(data.get("withdrawn", ())),
        unevenness(state),
        {int(number): size for number, size in data.get("drifts", {}).items()},
    )


def move_default(
    state: State, computer: EmulatedComputer, drift: float | None = None
) -> Calibration:
    """Make a new calibration set the default; the sets before it stay.

    `drift` is the standard deviation of the logarithms of its figures from those of the newest set
    before it, by default that of the machines.
    """
    with state.lock(f"calibration-{computer.id}"):
        return _new_default(state, calibration(state, computer), drift)


def withdraw(
    state: State,
    computer: EmulatedComputer,
    set_id: str | None = None,
    drift: float | None = None,
) -> Calibration:
    """Take a set away, the default one unless another is named; a new one is then the default.

    `drift` is that of the new set, as in `move_default`.
    """
    with state.lock(f"calibration-{computer.id}"):
        now = calibration(state, computer)
        resolved = now.resolve(set_id)
        number = next(i for i in range(now.newest + 1) if now.set_id(i) == resolved)
        without = evolve(now, withdrawn=now.withdrawn | {number})
        is_default = number == now.default
        return _new_default(state, without, drift) if is_default else _store(state, without)


def _new_default(state: State, now: Calibration, drift: float | None) -> Calibration:
    number = now.newest + 1
    size = now.machines.usual_drift if drift is None else drift
    drifts = {**now.drifts, number: size} if size else now.drifts
    return _store(state, evolve(now, default=number, newest=number, drifts=drifts))


def _store(state: State, now: Calibration) -> Calibration:
    data: dict[str, Json] = {
        "default": now.default,
        "newest": now.newest,
        "withdrawn": sorted(now.withdrawn),
    }
    if now.drifts:
        data["drifts"] = {str(number): size for number, size in now.drifts.items()}
    state.write(_file(now.computer), data)
    return now


def _file(computer: EmulatedComputer) -> str:
    return f"calibration/{computer.id}.json"
