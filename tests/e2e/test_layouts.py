"""Layouts through the command line: who chooses the qubits, and by which errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from iqm_spec.emulator import Emulator, Options
from tests.conftest import Cli
from tests.emulators import start

Ask = Callable[..., Any]

SPEC = """\
iqm_spec: 1
name: place
target: {target}
shots: 100
{more}
circuits:
  - generator: ghz
    args: {{num_qubits: "${{n}}"}}
sweep:
  - grid: {{n: [2, 4]}}
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(more: str = "", target: str = "garnet") -> Path:
        path = tmp_path / "place.yaml"
        path.write_text(SPEC.format(more=more, target=target))
        return path

    return write


def successes(answer: Ask, spec: Path, *args: object) -> list[float]:
    preview = answer("run", spec, "--dry-run", *args)
    return [point["predicted_success"] for point in preview["points"]]


def components(cli: Cli, tmp_path: Path) -> list[list[str]]:
    """The qubits of each stored circuit, by way of the circuits that a run keeps."""
    from iqm_spec.engine.saved import load_run
    from iqm_spec.plan.circuits import natives_of
    from iqm_spec.store import Store

    store = Store(tmp_path / "results")
    plan = load_run(store, "latest").plan
    natives = natives_of(store, plan, plan.points)
    return [list(natives[point.circuit_key].template.structure.components) for point in plan.points]


def test_the_best_qubits_are_the_default_and_no_worse(answer: Ask, write: Any) -> None:
    spec = write()
    best = successes(answer, spec)
    assert best == successes(answer, spec, "--set", "layout=best")
    theirs = successes(answer, spec, "--set", "layout=transpiler")
    assert all(a >= b for a, b in zip(best, theirs, strict=True))
    assert best != theirs
    tried = successes(answer, spec, "--set", "transpile.trials=6")
    assert all(a >= b for a, b in zip(tried, best, strict=True))


@pytest.mark.parametrize("target", ["garnet", "deneb"])
def test_the_plan_is_the_same_whoever_says_so(answer: Ask, write: Any, target: str) -> None:
    """`best` is what a spec without a layout means; its key is that of earlier versions."""
    spec = write(target=target)
    plain = answer("run", spec)
    again = answer("run", spec, "--set", "layout=best")
    assert again["run"] == plain["run"]
    other = answer("run", spec, "--set", "layout=transpiler")
    assert other["plan"]["digest"] != plain["plan"]["digest"]


def test_qubits_are_avoided_and_kept_to(answer: Ask, cli: Cli, write: Any, tmp_path: Path) -> None:
    region = ["QB1", "QB2", "QB4", "QB5", "QB9"]
    answer("run", write(f"region: {region}\navoid: [QB9, QB1-QB2]".replace("'", "")))
    for used in components(cli, tmp_path):
        assert set(used) <= set(region) - {"QB9"}
    assert answer("reproduce", "latest")["same"] is True


def test_points_share_their_qubits(answer: Ask, cli: Cli, write: Any, tmp_path: Path) -> None:
    answer("run", write("layout: {best: shared}"))
    two, four = components(cli, tmp_path)
    assert (len(two), len(four)) == (2, 4)
    assert set(two) < set(four)
    assert answer("reproduce", "latest")["same"] is True


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        ("avoid: [QB99]", "S503", "garnet has no QB99"),
        ("avoid: [QB1-QB20]", "S503", "garnet has no QB1-QB20"),
        ("region: [QB1, QB2-QB5]", "S503", "garnet has no QB2-QB5"),
        ("region: [QB1]\navoid: [QB1]", "S504", "no qubit of garnet is left"),
        ("region: [QB1, QB2]", "S502", "4 qubits"),
        ("layout: worst", "S203", "`best`, `{best: shared}`, `transpiler`, or a list of qubits"),
        ("aer: {noise: ideal, idle: true}", "S206", "no idle noise"),
        ("layout: {best: alike}", "S204", "shared"),
        ("transpile: {trials: 0}", "S205", "trials"),
        ("require: {predicted_success: {min: 2}}", "S205", "min"),
    ],
)
def test_what_makes_no_sense_is_an_error(
    answer: Ask, write: Any, more: str, code: str, message: str
) -> None:
    document = answer("validate", write(more), exit_code=3)
    found = [item for item in document["error"]["diagnostics"] if item["code"] == code]
    assert found, document
    assert any(message in item["message"] for item in found), found


def test_too_little_success_is_refused_before_anything_is_spent(
    cli: Cli, answer: Ask, write: Any
) -> None:
    spec = write("stages: [aer, mock, hardware]\nrequire: {predicted_success: {min: 0.95}}")
    refused = answer("run", spec, "--server", "emulator", "--yes", exit_code=4)
    assert refused["error"]["code"] == "refused.success"
    assert "of ghz n=4" in refused["error"]["message"]
    enough = answer(
        "run", spec, "--server", "emulator", "--yes", "--set", "require.predicted_success.min=0.5"
    )
    assert [stage["status"] for stage in enough["stages"]] == ["passed"] * 3


def test_the_noise_of_the_calibration(cli: Cli, answer: Ask, write: Any) -> None:
    spec = write()
    noise = ("--set", "aer.noise=calibration")
    refused = answer("run", spec, *noise, exit_code=4)
    assert "iqm-spec calibration garnet" in refused["error"]["hint"]
    assert answer("calibration", "garnet", "--server", "emulator")["qubits"]["QB1"]["t1"] > 0
    answer("run", spec, *noise, env={"IQM_SERVER_URL": "emulator"})
    assert answer("reproduce", "latest")["same"] is True
    answer("run", spec, *noise, "--server", "emulator", "--results", "online")

    def counts(*where: str) -> list[Any]:
        exported = json.loads(cli("export", "--format", "json", *where).stdout)
        return [row["counts"] for row in exported["rows"]]

    assert counts() == counts("--results", "online")
    # idle qubits relax by default, and only then
    answer("run", spec, *noise, "--set", "aer.idle=false", "--server", "emulator")
    assert counts() != counts("--results", "online")


# --- on a machine whose qubits differ, and whose calibration moves --------------------------------


@pytest.fixture(scope="module")
def uneven() -> Iterator[Emulator]:
    with start(Options(speed=1e4, spread=0.6, calibration_seed=3)) as emulator:
        yield emulator


FULL = """\
iqm_spec: 1
name: place
target: garnet
shots: 2000
stages: [aer, mock, hardware]
aer: {noise: calibration, idle: false}
circuits:
  - generator: ghz
    args: {num_qubits: "${n}"}
sweep:
  - grid: {n: [2, 4]}
"""
"""The emulator simulates no idle noise either."""


def test_a_run_uses_the_machine_of_today(
    uneven: Emulator, answer: Ask, cli: Cli, tmp_path: Path
) -> None:
    spec = tmp_path / "place.yaml"
    spec.write_text(FULL)
    at = ("--server", uneven.url)
    token = {"env": {"IQM_TOKEN": "any"}}
    preview = answer("run", spec, "--dry-run", *at, **token)
    theirs = answer("run", spec, "--dry-run", *at, "--set", "layout=transpiler", **token)
    pairs = zip(preview["points"], theirs["points"], strict=True)
    assert all(a["predicted_success"] > b["predicted_success"] for a, b in pairs)
    answer("run", spec, "--yes", *at, **token)
    analyzed = answer("analyze", "latest")
    fidelities = [p for p in analyzed["predictions"] if p["figure"] == "hellinger_fidelity"]
    assert len(fidelities) == 2
    assert all(abs(p["deviation"]) < 5 for p in fidelities), "the machine does what it says"
    assert answer("reproduce", "latest")["same"] is True
    (held, _) = answer("ledger", "--by", "machine")["predictions"]
    assert (held["machine"], held["number"]) == ("garnet", 2)

    # the calibration moves: the plan stays, and both commands say what today's would gain
    uneven.move_calibration("garnet", 1.0)
    answer("calibration", "garnet", *at, **token)
    (news,) = answer("status", "latest")["run"]["news"]
    assert "as planned" in news
    more = cli("run", spec, "--yes", "--fresh", *at, **token)
    assert more.returncode == 0, more.stderr
    assert "the default calibration set moved" in more.stdout + more.stderr
    before = components(cli, tmp_path)
    again = answer("run", spec, "--yes", "--replan", *at, **token)
    assert again["plan"]["digest"] != preview["plan"]["digest"]
    assert components(cli, tmp_path) != before
    assert answer("status", "latest")["run"]["news"] == []
    assert answer("verify")["problems"] == []


def test_validate_explains_without_a_server(answer: Ask, cli: Cli, write: Any) -> None:
    spec = write()
    (entry,) = answer("validate", "--explain", spec)["specs"]
    assert [len(circuit["qubits"]) for circuit in entry["circuits"]] == [2, 4]
    expected = successes(answer, spec)
    assert [circuit["predicted_success"] for circuit in entry["circuits"]] == expected
    text = cli("validate", "--explain", spec, columns=110).stdout
    assert "success" in text
    assert entry["circuits"][0]["qubits"][0] in text


def test_a_dry_run_shows_what_the_simulation_predicts(answer: Ask, cli: Cli, write: Any) -> None:
    spec = write()
    assert "predicted_figures" not in answer("run", spec, "--dry-run")
    answer("run", spec)
    preview = answer("run", spec, "--dry-run")
    assert preview["predicted_figures"] == answer("analyze", "latest")["analyses"]
    assert "predicted figures" in cli("run", spec, "--dry-run").stdout


def test_a_dry_run_warns_of_what_would_be_refused(answer: Ask, cli: Cli, write: Any) -> None:
    spec = write("stages: [aer, mock, hardware]\nrequire: {predicted_success: {min: 0.99}}")
    (warning,) = answer("run", spec, "--dry-run", "--server", "emulator")["warnings"]
    assert "the run is refused" in warning
