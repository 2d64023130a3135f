"""The calls that iqm-client and its relatives make beside those of jobs: versions, chip, tokens.

Shapes are those that the models of iqm-client 34 to 36 read; of tokens those of IQM's OpenAPI.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from iqm_spec.emulator.calls import Context
from iqm_spec.emulator.clock import timestamp
from iqm_spec.emulator.machines import Computer, couplings, stable_id
from iqm_spec.emulator.messages import Answer, Ask, Rejected
from iqm_spec.json_types import Json
from iqm_spec.version import __version__

TOKEN_LIFE = timedelta(days=365)
"""How long an emulated token is valid, from the emulator's first start on."""
SUFFIX = 4
"""Characters of a token that the list of tokens shows, of tokens with at least twice as many."""
_PROBE_LINE = "PL-1"
_SAMPLING_RATE, _GRANULARITY = 2e9, 8


def _about(context: Context, ask: Ask) -> Answer:
    versions = {"iqm-server": "emulator", "iqm-spec": __version__}
    return Answer(200, {"version": f"iqm-spec {__version__}", "software_versions": versions})


def _about_station(context: Context, ask: Ask) -> Answer:
    context.computer_of(ask)
    versions = {"iqm-station-control": "emulator", "iqm-spec": __version__}
    return Answer(200, {"version": f"iqm-spec {__version__}", "software_versions": versions})


def _duts(context: Context, ask: Ask) -> Answer:
    computer = context.computer_of(ask)
    return Answer(200, [{"label": context.dut_label(computer), "dut_type": "chip"}])


def _chip_design(context: Context, ask: Ask) -> Answer:
    computer = context.computer_of(ask)
    record: dict[str, Json] = {
        "mask_set_name": "EMULATED",
        "variant": computer.machine,
        "content": {"components": chip_components(computer)},
        "cheddar": {"chip_label": context.dut_label(computer)},
    }
    return Answer(200, [record])


def chip_components(computer: Computer) -> Mapping[str, Json]:
    """Qubits, resonators and the couplers between them; all qubits are on one probe line."""
    arch = computer.architecture
    couplers = {f"TC-{'-'.join(pair)}": pair for pair in couplings(arch)}

    def part(name: str, more: Sequence[str] = ()) -> Json:
        ends = [coupler for coupler, pair in couplers.items() if name in pair]
        return {"name": name, "connections": [*more, *ends]}

    return {
        "qubit": [part(name, (_PROBE_LINE,)) for name in arch.qubits],
        "computational_resonator": [part(name) for name in arch.resonators],
        "tunable_coupler": [
            {"name": coupler, "connections": list(pair)} for coupler, pair in couplers.items()
        ],
        "probe_line": [{"name": _PROBE_LINE, "connections": list(arch.qubits)}],
        "launcher": [],
    }


def _channels(context: Context, ask: Ask) -> Answer:
    """Every qubit's drive, from which iqm-client reads who can react to whose measurement."""
    from iqm_spec.iqm_client import AWGProperties, serialize_channel_properties

    drives = {
        f"{qubit}__drive.awg": AWGProperties(
            sampling_rate=_SAMPLING_RATE,
            instruction_duration_granularity=_GRANULARITY,
            instruction_duration_min=_GRANULARITY,
            compatible_instructions=(),
            fast_feedback_sources=[f"{_PROBE_LINE}__readout"],
            local_oscillator=False,
            mixer_correction=False,
        )
        for qubit in context.computer_of(ask).architecture.qubits
    }
    return _protobuf(serialize_channel_properties(drives).SerializeToString())


def _settings(context: Context, ask: Ask) -> Answer:
    """An empty tree: nothing here has instruments."""
    from iqm_spec.iqm_client import SettingNode

    context.computer_of(ask)
    return _protobuf(SettingNode(name="root").SerializeToString())


def _protobuf(body: bytes) -> Answer:
    return Answer(200, body, {"content-type": "application/protobuf"})


def _tokens(context: Context, ask: Ask) -> Answer:
    """The token that asks is the only one there is."""
    context.resonance_only()
    token = (ask.authorization or "").partition(" ")[2].strip()
    born = datetime.fromtimestamp(context.state.born, UTC)
    found: dict[str, Json] = {
        "id": str(stable_id("token", born.isoformat())),
        "created_at": timestamp(born.timestamp()),
        "activated_at": timestamp(born.timestamp()),
        "expires_at": timestamp((born + TOKEN_LIFE).timestamp()),
        "last_characters": token[-SUFFIX:] if len(token) >= 2 * SUFFIX else "",
    }
    return Answer(200, {"tokens": [found]})


def _no_artifact(context: Context, ask: Ask) -> Answer:
    computer = context.computer_of(ask)
    kind = ask.path["artifact"][:64]
    raise Rejected(404, "artifact_not_found", f"{computer.alias} has no artifact {kind}")


ARTIFACTS: Mapping[str, Callable[[Context, Ask], Answer]] = {
    "about": _about,
    "about-station": _about_station,
    "duts": _duts,
    "chip-design": _chip_design,
    "channels": _channels,
    "settings": _settings,
    "tokens": _tokens,
    "artifact": _no_artifact,
}
"""Calls that tell about the server, its chips and the token."""
