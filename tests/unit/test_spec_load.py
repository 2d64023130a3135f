"""From a spec file to a Spec: defaults, what is handed down, and many mistakes at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from iqm_spec.errors import SpecError
from iqm_spec.model import AerOptions, Mode, SourceKind, StageName
from iqm_spec.source import line_reader
from iqm_spec.spec.load import read_and_build
from iqm_spec.spec.schema import field_defaults
from iqm_spec.spec.sweep_points import all_points
from tests.specfiles import LoadedSpec, load_spec

HEAD = "iqm_spec: 1\nname: x\ntarget: garnet\n"
BELL = "circuits: [{generator: bell}]\n"


def load(tmp_path: Path, text: str, *overrides: str, name: str = "x.yaml") -> LoadedSpec:
    path = tmp_path / name
    path.write_text(text)
    return load_spec(path, overrides)


def told(tmp_path: Path, text: str, *overrides: str) -> list[tuple[str, int, int]]:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    _, _, diagnostics, _ = read_and_build(path, overrides)
    return [(item.code, item.span.line, item.span.column) for item in diagnostics]


def test_defaults_are_those_of_version_one(tmp_path: Path) -> None:
    spec = load(tmp_path, HEAD + BELL).spec
    assert (spec.mode, spec.stages, spec.seed) == (Mode.PAY_AS_YOU_GO, (StageName.AER,), 0)
    assert spec.aer == AerOptions("device", "automatic", "CPU")
    assert (spec.calibration, dict(spec.require)) == ("pin", {})
    assert dict(spec.budget) == {"failed": "measured", "cancelled": "measured"}
    (circuit,) = spec.circuits
    assert (circuit.name, circuit.kind, circuit.ref) == ("bell", SourceKind.GENERATOR, "bell")
    assert (circuit.shots, circuit.repeat) == (1000, 1)
    assert (circuit.layout, circuit.target) == (None, "garnet")
    assert circuit.transpile == {"optimization_level": 2, "seed": 0}
    assert circuit.options == {
        "heralding": "none",
        "dynamical_decoupling": False,
        "active_reset_cycles": None,
        "max_circuit_duration_over_t2": None,
        "move_gate_validation": "strict",
        "move_gate_frame_tracking": "full",
    }
    # these belong to `iqm_spec: 1` for good: results folders hold digests that rest on them
    assert spec.digest == "7eba05dd1e353803298326e9a338cc4c8a6cb0580e527eb34a99f9794ec3507b"


def test_a_circuit_wins_over_the_top_key_by_key(tmp_path: Path) -> None:
    text = HEAD + (
        "shots: 10\nrepeat: 2\nlayout: [QB1, QB2]\n"
        "transpile: {optimization_level: 3, seed: 5}\noptions: {heralding: zeros}\n"
        "circuits:\n"
        "  - {generator: bell}\n"
        "  - generator: ghz\n    shots: 20\n    repeat: 1\n    layout: [QB3]\n    target: deneb\n"
        "    transpile: {seed: 6}\n    options: {dynamical_decoupling: true}\n"
    )
    first, second = load(tmp_path, text).spec.circuits
    assert (first.shots, first.repeat, first.layout, first.target) == (
        10,
        2,
        ["QB1", "QB2"],
        "garnet",
    )
    assert (second.shots, second.repeat, second.layout, second.target) == (20, 1, ["QB3"], "deneb")
    assert second.transpile == {"optimization_level": 3, "seed": 6}
    assert second.options["heralding"] == "zeros"
    assert second.options["dynamical_decoupling"] is True
    assert first.options["dynamical_decoupling"] is False


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ("{generator: ghz}", "ghz"),
        ('{generator: "mqt:qft"}', "qft"),
        ('{generator: "python:lab.circuits:ramsey"}', "ramsey"),
        ("{qasm: circuits/bell.qasm}", "bell"),
        ("{qasm: a.b/c.d.qasm}", "c.d"),
        ("{qpy: stored.qpy}", "stored"),
        ("{qasm: a.qasm, name: b}", "b"),
    ],
)
def test_names_of_circuits(tmp_path: Path, entry: str, name: str) -> None:
    assert load(tmp_path, f"{HEAD}circuits: [{entry}]\n").spec.circuits[0].name == name


def test_parameters_by_name_and_by_value(tmp_path: Path) -> None:
    text = HEAD + (
        "circuits:\n  - {qasm: a.qasm, parameters: by-name}\n"
        '  - {qasm: b.qasm, parameters: {theta: "${t}", k: 1}}\n'
        "sweep: [{grid: {t: [0, 1]}}]\n"
    )
    first, second = load(tmp_path, text).spec.circuits
    assert (first.by_name, first.parameters) == (True, None)
    assert (second.by_name, second.parameters) == (False, {"theta": "${t}", "k": 1})


def test_older_targets_are_rewritten_in_one_notice(tmp_path: Path) -> None:
    url = "https://cocos.resonance.meetiqm.com/garnet:timeslot"
    entry = f"{{generator: bell, target: '{url}'}}"
    loaded = load(tmp_path, f"iqm_spec: 1\nname: x\ntarget: {url}\ncircuits: [{entry}]\n")
    assert (loaded.spec.target, loaded.spec.mode) == ("garnet", Mode.TIMESLOT)
    assert loaded.spec.circuits[0].target == "garnet"
    (notice,) = loaded.notices
    assert "`target: garnet` with `mode: timeslot`" in notice
    plain = load(tmp_path, "iqm_spec: 1\nname: x\ntarget: garnet\nmode: timeslot\n" + BELL)
    assert (
        plain.spec.digest
        == load(tmp_path, f"iqm_spec: 1\nname: x\ntarget: {url}\n{BELL}").spec.digest
    )


def test_a_circuit_cannot_change_the_mode(tmp_path: Path) -> None:
    text = HEAD + "circuits: [{generator: bell, target: 'emerald:timeslot'}]\n"
    assert told(tmp_path, text) == [("S505", 4, 38)]
    assert told(tmp_path, text + "mode: timeslot\n") == []


@pytest.mark.parametrize(
    "other",
    [
        HEAD + BELL + "description: other words\n",
        HEAD + BELL + "budget: {credits: 5}\n",
        HEAD + BELL + "fail_fast: true\n",
        "# comment\n" + BELL + "target: garnet # here\nname: x\niqm_spec: 1\n",
        HEAD + BELL + "shots: 1e3\nrepeat: 1.0\nmode: pay-as-you-go\naer: {noise: device}\n",
        HEAD + "circuits: [{name: bell, args: {}, generator: bell, shots: 1000}]\n",
    ],
)
def test_what_does_not_move_the_digest(tmp_path: Path, other: str) -> None:
    assert load(tmp_path, other).spec.digest == load(tmp_path, HEAD + BELL).spec.digest


@pytest.mark.parametrize(
    "other",
    [
        HEAD + BELL + "shots: 1001\n",
        HEAD + BELL + "seed: 1\n",
        HEAD + BELL + "stages: [aer, mock]\n",
        HEAD + BELL + "order: interleaved\n",
        HEAD + BELL + "calibration: latest\n",
        HEAD + BELL + "aer: {noise: ideal}\n",
        HEAD + "circuits: [{generator: bell, name: other}]\n",
        HEAD + "circuits: [{qasm: bell}]\n",
        HEAD + "circuits: [{generator: bell, args: {state: phi+}}]\n",
        HEAD + BELL + "require: {aer: {hellinger_fidelity: {min: 0.5}}}\n",
    ],
)
def test_what_moves_the_digest(tmp_path: Path, other: str) -> None:
    assert load(tmp_path, other).spec.digest != load(tmp_path, HEAD + BELL).spec.digest


def test_mistakes_in_fields_do_not_hide_those_in_sweeps(tmp_path: Path) -> None:
    text = (
        "iqm_spec: 1\nname: X\nbackend: garnet\nshots: 0\n"
        "circuits:\n  - {generator: ghz, nope: 1}\n  - 5\n"
        "sweep:\n  - grid: {n: [1, 1], m: [1, null]}\n  - zip: [{a: [1], b: [1, 2]}]\n"
    )
    assert told(tmp_path, text) == [
        ("S202", 1, 1),
        ("S204", 2, 7),
        ("S201", 3, 1),
        ("S205", 4, 8),
        ("S201", 6, 22),
        ("S203", 7, 5),
        ("S303", 9, 19),
        ("S203", 9, 30),
        ("S305", 10, 11),
    ]


def test_a_spec_comes_back_beside_its_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(
        "iqm_spec: 1\nname: x\nshots: 0\naer: {noise: 3}\ncircuits:\n  - 7\n  - generator: ghz\n"
        "    shots: 5\n    layout: [3]\nsweep:\n  - grid: {n: [1, null, 3]}\n"
    )
    source, spec, diagnostics, _ = read_and_build(path)
    assert len(diagnostics) == 6
    assert source is not None
    assert spec is not None
    assert spec.target is None
    (circuit,) = spec.circuits
    assert (circuit.index, circuit.shots, circuit.layout) == (1, 5, None)
    assert spec.aer.noise == field_defaults("aer")["noise"]
    assert spec.sweep[0].columns == ((("n",), ((1,), (3,))),)


def test_nothing_is_built_of_another_version(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("iqm_spec: 2\nnonsense: true\n")
    _, spec, diagnostics, _ = read_and_build(path)
    assert spec is None
    assert [item.code for item in diagnostics] == ["S208"]


def test_secrets_are_in_no_message(tmp_path: Path) -> None:
    secret = "eyJhbGciOiJub25lIn0.e30.c2lnbmF0dXJl"
    path = tmp_path / "x.yaml"
    path.write_text(f"{HEAD}shots: {secret}\nmode: {secret}\napi_key: hunter22\n{BELL}")
    overrides = [f"seed={secret}", "circuits.0.password=hunter22"]
    with pytest.raises(SpecError) as error:
        load_spec(path, overrides)
    codes = [item.code for item in error.value.diagnostics]
    assert codes == ["S207"] * 5
    text = json.dumps([item.to_json() for item in error.value.diagnostics])
    line_of = line_reader(overrides)
    text += "".join(str(line_of(item.file, item.span.line)) for item in error.value.diagnostics)
    assert secret not in text
    assert "hunter22" not in text


@pytest.mark.slow
def test_a_hundred_thousand_points_are_checked_in_a_second(tmp_path: Path) -> None:
    listed = ", ".join(f"{{n: {i}, m: {i / 7}}}" for i in range(50_000))
    values = ", ".join(str(i) for i in range(50_000))
    path = tmp_path / "x.toml"
    text = (
        'iqm_spec = 1\nname = "x"\ntarget = "garnet"\n'
        '[[circuits]]\ngenerator = "tfim"\nargs = {num_qubits = "${n}", steps = "${m}"}\n'
        f"[[sweep]]\npoints = [{listed.replace(':', ' =')}]\n"
        f"[[sweep]]\ngrid = {{n = [{values}], m = [-1]}}\n"
    )
    path.write_text(text)
    spec = load_spec(path).spec
    assert sum(1 for _ in all_points(spec)) == 100_000


@pytest.mark.slow
def test_a_spec_of_too_many_values_is_refused_before_its_schema_is_asked(tmp_path: Path) -> None:
    entries = ", ".join(["{qasm: a}"] * 101_000)
    path = tmp_path / "x.yaml"
    path.write_text(f"{HEAD}circuits: [{entries}]\n")
    _, spec, diagnostics, _ = read_and_build(path)
    assert spec is None
    assert [item.code for item in diagnostics] == ["S109"]
