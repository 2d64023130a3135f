"""Uneven machines over HTTP: jobs run with the figures that are served, of the set they name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from math import pi
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from iqm_spec.emulator import Options
from iqm_spec.emulator.checks import translate
from iqm_spec.emulator.worker import in_key_order
from iqm_spec.stages.aer import AerTask, Setup, simulate
from iqm_spec.statistics.significance import compare_counts
from iqm_spec.targets import ErrorProfile, architecture, measured_profile
from tests.e2e.test_emulator import Api
from tests.emulators import start

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]

SHOTS = 20_000
ALIKE, DIFFERENT = 1e-4, 1e-9
"""P-values above and below which counts agree, and do not."""


@pytest.fixture(scope="module")
def uneven() -> Iterator[Api]:
    options = Options(speed=1e4, spread=0.6, calibration_seed=7, drift=0.5, seed=1)
    with start(options) as emulator:
        yield Api(emulator)


def instruction(name: str, *locus: str, **args: Any) -> dict[str, Any]:
    return {"name": name, "locus": list(locus), "args": args}


def payload(target: str, set_id: str | None = None) -> str:
    """Qubits that are excited, gates and delays on some of them, and all of them read."""
    machine = architecture(target)
    qubits = machine.qubits[:4]
    operations = [instruction("prx", qubit, angle=pi, phase=0.0) for qubit in qubits]
    if machine.resonators:
        (resonator,) = machine.resonators
        operations += [
            instruction("move", qubits[0], resonator),
            *[instruction("cz", qubit, resonator) for qubit in qubits[1:]],
            instruction("move", qubits[0], resonator),
        ]
    else:
        pairs = [locus for locus in machine.gates["cz"] if set(locus) <= set(qubits)]
        operations += [instruction("cz", *locus) for locus in pairs]
    operations += [
        instruction("delay", qubits[1], duration=5e-6),
        *[instruction("prx", qubit, angle=pi / 2, phase=0.3) for qubit in qubits],
        instruction("delay", qubits[2], duration=3e-6),
        *[instruction("prx", qubit, angle=pi / 2, phase=0.5) for qubit in qubits],
        instruction("measure", *qubits, key="m"),
    ]
    circuit = {"name": "c", "instructions": operations}
    return json.dumps({"circuits": [circuit], "shots": SHOTS, "calibration_set_id": set_id})


def served(api: Api, target: str, set_id: str) -> ErrorProfile:
    """The error profile that a client makes of what the server says."""
    path = f"calibration-sets/{target}/{set_id}"
    metrics, values, raw = (
        api.get(path + below).json() for below in ("/metrics", "", "/dynamic-quantum-architecture")
    )
    return evolve(measured_profile(architecture(target), metrics, values, raw), idle=True)


def set_id_of(api: Api, target: str) -> str:
    path = f"calibration-sets/{target}/default/dynamic-quantum-architecture"
    return str(api.get(path).json()["calibration_set_id"])


def measured(api: Api, target: str, set_id: str) -> dict[str, int]:
    job = api.submit(target, payload(target, set_id)).json()["id"]
    assert api.wait(job)["compilation"]["calibration_set_id"] == set_id
    (artifact,) = api.get(f"jobs/{job}/artifacts/measurement_counts").json()
    return dict(artifact["counts"])


def simulated(target: str, profile: ErrorProfile) -> dict[str, int]:
    (item,) = translate(payload(target).encode(), architecture(target))
    (outcome,) = simulate([AerTask("0", item.circuit, 500_000, 3)], Setup(profile))
    return {in_key_order(text): count for text, count in outcome.counts.items()}


@pytest.mark.parametrize("target", ["garnet", "emerald", "deneb"])
def test_jobs_agree_with_a_simulation_by_the_served_figures(uneven: Api, target: str) -> None:
    set_id = set_id_of(uneven, target)
    counts, profile = measured(uneven, target, set_id), served(uneven, target, set_id)
    assert compare_counts(counts, simulated(target, profile)).p_value > ALIKE
    without_idling = simulated(target, evolve(profile, idle=False))
    assert compare_counts(counts, without_idling).p_value < DIFFERENT


def test_a_job_runs_under_the_set_that_it_names(uneven: Api) -> None:
    before = set_id_of(uneven, "garnet")
    after = uneven.emulator.move_calibration("garnet", 0.8)
    assert set_id_of(uneven, "garnet") == after != before
    for own, other in ((before, after), (after, before)):
        counts = measured(uneven, "garnet", own)
        assert compare_counts(
            counts, simulated("garnet", served(uneven, "garnet", own))
        ).p_value > (0.001)
        wrong = simulated("garnet", served(uneven, "garnet", other))
        assert compare_counts(counts, wrong).p_value < DIFFERENT


def test_a_job_keeps_its_figures_when_its_set_is_withdrawn(tmp_path: Path) -> None:
    options = Options(state=tmp_path, speed=1, queue_seconds=0.5, spread=0.6, seed=1)
    with start(options) as emulator:
        api = Api(emulator)
        own = set_id_of(api, "garnet")
        profile = served(api, "garnet", own)
        job = api.submit("garnet", payload("garnet")).json()["id"]
        emulator.withdraw_calibration("garnet")
    # another process takes the job up, started without a word about the machines
    with start(Options(state=tmp_path, speed=1e4)) as emulator:
        api = Api(emulator)
        assert api.get(f"calibration-sets/garnet/{own}/metrics").status_code == 404
        assert api.wait(job)["compilation"]["calibration_set_id"] == own
        (artifact,) = api.get(f"jobs/{job}/artifacts/measurement_counts").json()
    comparison = compare_counts(dict(artifact["counts"]), simulated("garnet", profile))
    assert comparison.p_value > ALIKE


def test_the_same_seed_is_the_same_machine_in_every_emulator(uneven: Api) -> None:
    path = "calibration-sets/sirius/default/metrics"
    with start(Options(spread=0.6, calibration_seed=7, drift=0.5)) as emulator:
        again = Api(emulator).get(path).content
    assert again == uneven.get(path).content
    with start(Options(spread=0.6, calibration_seed=8, drift=0.5)) as emulator:
        assert Api(emulator).get(path).content != again


def test_a_rule_moves_figures_by_a_chosen_amount(uneven: Api) -> None:
    before = served(uneven, "sirius", set_id_of(uneven, "sirius"))
    rule = {"fault": "move-calibration", "on": "metrics", "qc": "sirius", "drift": 0.0}
    uneven.emulator.faults([rule, {**rule, "drift": 1.0}])
    same, moved = (served(uneven, "sirius", "default") for _ in range(2))
    assert same.t1 == before.t1
    assert max(moved.t1[name] / before.t1[name] for name in before.t1) > 2


def test_the_sets_of_a_computer_are_listed(uneven: Api) -> None:
    older, first = uneven.emulator.calibration_sets("emerald")
    assert first == set_id_of(uneven, "emerald")
    second = uneven.emulator.move_calibration("emerald", 0.0)
    third = uneven.emulator.withdraw_calibration("emerald", 0.9)
    assert uneven.emulator.calibration_sets("emerald") == [older, first, third]
    ends = [
        uneven.get(f"calibration-sets/emerald/{set_id}/metrics").json()["end_timestamp"]
        for set_id in (older, first, third)
    ]
    assert ends == sorted(set(ends))
    assert uneven.get(f"calibration-sets/emerald/{second}/metrics").status_code == 404
    with pytest.raises(ValueError, match="no quantum computer nope"):
        uneven.emulator.calibration_sets("nope")


@pytest.mark.parametrize("drift", ["much", "-1", "nan", "9"])
def test_an_amount_that_makes_no_sense_is_refused(uneven: Api, drift: str) -> None:
    url = f"{uneven.emulator.url}/emulator/calibration/deneb/move?drift={drift}"
    refused = uneven.session.post(url, timeout=60)
    assert (refused.status_code, refused.json()["error_code"]) == (400, "invalid_input")
    assert "drift" in refused.json()["message"]


def test_the_built_in_emulator_has_the_machines_of_the_variable(
    tmp_path: Path, answer: Ask
) -> None:
    def calibration(env: dict[str, str]) -> Any:
        return answer("calibration", "garnet", "--server", "emulator", env=env)

    even = calibration({})
    uneven = calibration({"IQM_SPEC_EMULATOR": "spread=0.5 calibration-seed=7"})
    assert uneven["calibration_set_id"] != even["calibration_set_id"]
    assert uneven["qubits"]["QB1"]["t1"] == pytest.approx(64.5695e-6, rel=1e-5)
    assert calibration({})["calibration_set_id"] == uneven["calibration_set_id"], "it is remembered"
    back = calibration({"IQM_SPEC_EMULATOR": "spread=0"})
    assert back["qubits"] == even["qubits"]


REHEARSAL = """\
iqm_spec: 1
name: rehearsal
target: TARGET
seed: 3
shots: 20000
stages: [aer, mock, hardware]
aer: {noise: calibration}
circuits:
  - {generator: ghz, args: {num_qubits: 5}}
  - {generator: ghz, name: wide, args: {num_qubits: 8}}
"""


@pytest.mark.parametrize("target", ["garnet", "sirius"])
def test_a_rehearsal_shows_what_the_noise_of_the_calibration_predicts(
    uneven: Api, tmp_path: Path, answer: Ask, cli: Callable[..., Any], target: str
) -> None:
    (tmp_path / "x.yaml").write_text(REHEARSAL.replace("TARGET", target))
    at = ("--server", uneven.emulator.url)
    run = answer("run", "x.yaml", "--yes", *at, env={"IQM_TOKEN": "any"})["run"]
    rows = json.loads(cli("export", run, "--format", "json").stdout)["rows"]
    counts = {(row["circuit"], row["stage"]): row["counts"] for row in rows}
    for circuit in ("ghz", "wide"):
        comparison = compare_counts(counts[circuit, "aer"], counts[circuit, "hardware"])
        assert comparison.p_value > ALIKE


def test_a_variable_that_makes_no_sense_is_a_usage_error(cli: Callable[..., Any]) -> None:
    env = {"IQM_SPEC_EMULATOR": "sprad=0.5"}
    done = cli("calibration", "garnet", "--server", "emulator", env=env)
    assert done.returncode == 2
    assert "IQM_SPEC_EMULATOR: 'sprad=0.5' is not understood" in done.stderr
