"""Built-in machines, and machines read from JSON."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from iqm_spec.targets import (
    architecture,
    architecture_from_json,
    error_profile,
    error_profile_from_json,
    features,
    known_targets,
    restricted,
)

SHAPES = {
    # alias: qubits, resonators, couplings of cz
    "garnet": (20, 0, 30),
    "emerald": (54, 0, 90),
    "sirius": (16, 1, 16),
    "deneb": (6, 1, 6),
}


def server_json(**changes: Any) -> dict[str, Any]:
    """A dynamic quantum architecture as the server gives it; QB4 cannot be measured."""

    def gate(*loci: list[str]) -> dict[str, Any]:
        return {
            "implementations": {"one": {"loci": list(loci[:2])}, "two": {"loci": list(loci[1:])}},
            "default_implementation": "one",
            "override_default_implementation": {"QB1,QB2": "two"},
        }

    return {
        "calibration_set_id": "cd4dd889-b88b-4370-ba01-eb8262ad9c53",
        "qubits": ["QB1", "QB2", "QB10", "QB4"],
        "computational_resonators": ["CR1"],
        "gates": {
            "prx": gate(["QB1"], ["QB2"], ["QB10"], ["QB4"]),
            "measure": gate(["QB10"], ["QB1"], ["QB2"]),
            "cz": gate(["QB10", "QB2"], ["QB1", "QB2"], ["QB1", "QB4"], ["QB2", "CR1"]),
            "move": gate(["QB1", "CR1"], ["QB4", "CR1"]),
        },
        **changes,
    }


def test_the_built_in_machines() -> None:
    assert known_targets() == tuple(sorted(SHAPES))
    for alias, (qubits, resonators, couplings) in SHAPES.items():
        machine = architecture(alias)
        assert (machine.alias, machine.num_qubits) == (alias, qubits)
        assert len(machine.resonators) == resonators
        assert len(machine.gates["cz"]) == couplings
        assert machine.components == machine.qubits + machine.resonators
        assert machine.source
        conditional = {"if_else", "reset"} if alias == "emerald" else set()
        assert features(machine) == {"delay"} | conditional


@pytest.mark.parametrize("alias", SHAPES)
def test_a_profile_covers_its_machine(alias: str) -> None:
    machine, profile = architecture(alias), error_profile(alias)
    assert profile is not None
    assert set(profile.t1) == set(profile.t2) == set(machine.components)
    assert set(profile.readout) == set(machine.qubits)
    for gate, errors in profile.depolarizing.items():
        assert {frozenset(x) for x in errors} == {frozenset(x) for x in machine.gates[gate]}
    assert profile.source.startswith("IQMFake")
    assert profile.assumptions


@pytest.mark.parametrize("alias", SHAPES)
def test_json_gives_the_same_again(alias: str) -> None:
    machine, profile = architecture(alias), error_profile(alias)
    assert architecture_from_json(machine.to_json(), alias) == machine
    assert profile is not None
    assert error_profile_from_json(profile.to_json()) == profile


def test_digests_tell_machines_apart_by_what_they_can_do_alone() -> None:
    assert len({architecture(alias).digest for alias in known_targets()}) == len(known_targets())
    ours = architecture_from_json(server_json(), "ours")
    later = architecture_from_json(server_json(calibration_set_id="another"), "theirs")
    assert ours.digest == later.digest
    assert ours != later
    fewer = architecture_from_json(server_json(computational_resonators=["CR1", "CR2"]), "ours")
    assert ours.digest != fewer.digest


def test_a_servers_architecture() -> None:
    machine = architecture_from_json(server_json(), "ours")
    assert machine.qubits == ("QB1", "QB2", "QB10")
    assert machine.gates["cz"] == (("QB1", "QB2"), ("QB2", "CR1"), ("QB10", "QB2"))
    assert machine.gates["move"] == (("QB1", "CR1"),)
    assert machine.calibration_set_id == "cd4dd889-b88b-4370-ba01-eb8262ad9c53"
    assert machine.has("cz", ("QB2", "QB1"))
    assert machine.has("cz", ("QB1", "QB2"))
    assert machine.has("r", ("QB10",))
    assert not machine.has("prx", ("QB4",))
    assert not machine.has("move", ("CR1", "QB1"))
    assert not machine.has("cc_prx", ("QB1",))


def test_conditional_gates_bring_reset_and_if_else() -> None:
    gates = server_json()["gates"]
    conditional = server_json(gates={**gates, "cc_prx": [["QB1"]]})
    resetting = server_json(gates={**gates, "reset": [["QB1"]]})
    assert features(architecture_from_json(conditional, "x")) == {"delay", "if_else", "reset"}
    assert features(architecture_from_json(resetting, "x")) == {"delay", "reset"}


WRONG = [
    ([], "must be a mapping"),
    ({}, "qubits must be a list"),
    (server_json(qubits=["QB1", "QB1"]), "qubits names QB1 more than once"),
    (server_json(qubits=["QB1", 2]), "qubits must be a list"),
    (server_json(computational_resonators=["QB1"]), "both as a qubit and as a resonator"),
    (server_json(gates=None), "gates must be a mapping"),
    (server_json(gates={"prx": 3}), "gates.prx must be a list of loci"),
    (server_json(gates={"prx": [["QB9"]]}), r"gates.prx\[0\] names QB9"),
    (server_json(gates={"cz": [["QB1"]]}), r"gates.cz\[0\] has 1 components"),
    (server_json(gates={"measure": [[]]}), r"gates.measure\[0\] has 0 components"),
    (server_json(gates={"prx": {"implementations": {"a": {}}}}), "implementations.a.loci must be"),
    (server_json(gates={"prx": [["QB1"]], "measure": [["QB2"]]}), "no qubit has both"),
    (server_json(calibration_set_id=3), "calibration_set_id must be text"),
]


@pytest.mark.parametrize(("data", "message"), WRONG, ids=[message for _, message in WRONG])
def test_a_wrong_architecture_says_what_and_where(data: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        architecture_from_json(data, "ours")


def profile_json(**changes: Any) -> dict[str, Any]:
    return {
        "t1_ns": {"QB1": 30000, "QB2": 20000.0},
        "t2_ns": {"QB1": 9000, "QB2": 9000},
        "depolarizing": {"prx": {"QB1": 0.001}, "cz": {"QB1,QB2": 0.01}},
        "durations_ns": {"prx": 20, "cz": 40},
        "readout": {"QB1": {"0": 0.02, "1": 0.03}},
        **changes,
    }


def test_a_users_profile() -> None:
    profile = error_profile_from_json(profile_json(source="bench, May"))
    assert profile.depolarizing["cz"] == {("QB1", "QB2"): 0.01}
    assert profile.readout["QB1"] == (0.02, 0.03)
    assert profile.digest == error_profile_from_json(profile_json()).digest
    slower = error_profile_from_json(profile_json(durations_ns={"prx": 21, "cz": 40}))
    assert profile.digest != slower.digest


WRONG_PROFILES = [
    (3, "must be a mapping"),
    (profile_json(format="other/1"), "format must be"),
    (profile_json(t3_ns={}), "unknown key 't3_ns'"),
    (profile_json(t1_ns=None), "t1_ns must be a mapping"),
    (profile_json(t1_ns={"QB1": "30 us"}), "t1_ns.QB1 must be a number"),
    (profile_json(t1_ns={"QB1": True}), "t1_ns.QB1 must be a number"),
    (profile_json(t1_ns={"QB1": float("inf")}), "t1_ns.QB1 must be a number"),
    (profile_json(t2_ns={"QB1": 90000, "QB2": 1}), "t2_ns.QB1 must be above 0 and at most twice"),
    (profile_json(t2_ns={"QB1": 9000}), "t2_ns.QB2 must be above 0"),
    (profile_json(depolarizing={"prx": {"QB1": 1.1}}), "depolarizing.prx.QB1 must lie between 0"),
    (profile_json(depolarizing={"prx": {"QB9": 0.1}}), "t1_ns.QB9 is missing"),
    (profile_json(durations_ns={"prx": 20}), "durations_ns.cz is missing"),
    (profile_json(durations_ns={"prx": -20, "cz": 1}), "durations_ns.prx must lie between"),
    (profile_json(readout={"QB1": {"0": 0.02}}), "readout.QB1 must give the error of both"),
    (profile_json(readout={"QB1": {"0": 2, "1": 0}}), "readout.QB1.0 must lie between"),
]


@pytest.mark.parametrize(("data", "message"), WRONG_PROFILES, ids=[m for _, m in WRONG_PROFILES])
def test_a_wrong_profile_says_what_and_where(data: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        error_profile_from_json(data)


def test_unknown_machines() -> None:
    assert error_profile("mars") is None
    with pytest.raises(ValueError, match="known: deneb, emerald, garnet, sirius"):
        architecture("mars")
    with pytest.raises(ValueError, match="built in"):
        architecture("../targets/data/garnet")


def test_targets_load_without_numpy() -> None:
    code = (
        "import sys; from iqm_spec import targets\n"
        "for name in targets.known_targets():\n"
        "    targets.architecture(name), targets.error_profile(name)\n"
        "assert not {'numpy', 'qiskit', 'iqm'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("avoid", "region", "qubits", "couplings"),
    [
        ((), (), 20, 30),
        (("QB1",), (), 19, 28),
        (("QB1-QB2",), (), 20, 29),
        (("QB2-QB1", "QB1-QB2"), (), 20, 29),
        ((), ("QB1", "QB2", "QB4"), 3, 2),
        (("QB2",), ("QB1", "QB2", "QB4"), 2, 1),
    ],
)
def test_a_machine_without_what_is_avoided(
    avoid: tuple[str, ...], region: tuple[str, ...], qubits: int, couplings: int
) -> None:
    machine = restricted(architecture("garnet"), avoid, region)
    assert (machine.num_qubits, len(machine.gates["cz"])) == (qubits, couplings)
    assert len(machine.gates["prx"]) == qubits


@pytest.mark.parametrize(
    ("avoid", "region", "message"),
    [
        (("QB99",), (), "no QB99"),
        (("QB1-QB20",), (), "no QB1-QB20"),
        ((), ("QB1-QB2",), "no QB1-QB2"),
        (("QB1",), ("QB1",), "no qubit of garnet is left"),
    ],
)
def test_what_a_machine_lacks_cannot_be_avoided(
    avoid: tuple[str, ...], region: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        restricted(architecture("garnet"), avoid, region)


def test_a_star_keeps_its_resonator() -> None:
    machine = restricted(architecture("deneb"), ("QB1", "QB2-CR1"))
    assert machine.resonators == ("CR1",)
    assert ("QB2", "CR1") not in machine.gates["move"]
    assert ("QB3", "CR1") in machine.gates["cz"]
