"""Generators that are other people's code: allowed modules, installed packages, MQT Bench."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from iqm_spec.canonical import sha256
from iqm_spec.circuits import (
    CircuitError,
    UnknownGenerator,
    build_circuit,
    find_generator,
    identity,
    known_generators,
)
from iqm_spec.circuits.facts import facts_of
from iqm_spec.circuits.user_code import printing_to_stderr
from iqm_spec.model import CircuitFacts, SourceKind

ROOT = Path(__file__).parents[2]
SPEC = "iqm_spec: 1\nname: x\ntarget: garnet\n"
MODULE = '''
from pathlib import Path
from qiskit import QuantumCircuit
from iqm_spec.circuits import Generator, Parameter
from iqm_spec.circuits.generators.ghz import GHZ

Path(__file__).with_name("ran").write_text("")

def chain(num_qubits, angle=0.5):
    """A chain of rotations."""
    circuit = QuantumCircuit(num_qubits)
    circuit.rx(angle, range(num_qubits))
    circuit.measure_all()
    return circuit

def unmeasured():
    return QuantumCircuit(1)

def number():
    return 7

def nothing():
    pass

def endless():
    circuit = QuantumCircuit(1)
    circuit.rx(float("inf"), 0)
    circuit.measure_all()
    return circuit

def leaving():
    raise SystemExit(9)

def failing():
    raise RuntimeError("out of luck")

def free(num_qubits: int):
    from qiskit.circuit import Parameter
    circuit = QuantumCircuit(num_qubits)
    circuit.rx(Parameter("theta"), 0)
    circuit.measure_all()
    return circuit

constant = 5
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A user's module on the path, under a name of its own."""
    name = f"their_circuits_{sha256(str(tmp_path).encode())[:12]}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def test_code_that_was_not_allowed_does_not_run(module: str, tmp_path: Path) -> None:
    for allowed in (set(), {"another"}, {module + ".sub"}, {module[:-1]}):
        with pytest.raises(UnknownGenerator) as caught:
            find_generator(f"python:{module}:chain", allowed)
        assert caught.value.code == "S409"
        assert f"--allow-code {module}" in caught.value.hint
        with pytest.raises(UnknownGenerator):
            identity(SourceKind.GENERATOR, f"python:{module}:chain", None, {}, None, allowed)
    assert module not in sys.modules
    assert not (tmp_path / "ran").exists()


def test_allowed_code_builds(module: str) -> None:
    generator = find_generator(f"python:{module}:chain", {module})
    assert generator.summary == "A chain of rotations."
    assert generator.facts({"num_qubits": 3}) == CircuitFacts(3, 3, 3)
    assert [item.message for item in generator.check({"num_qbits": 3})] == [
        "there is no argument `num_qbits`",
        "the argument `num_qubits` is missing",
    ]
    ref = f"python:{module}:chain"
    args = {"num_qubits": 2, "angle": 1}
    built = build_circuit(SourceKind.GENERATOR, ref, None, args, None, {module})
    assert built.data[0].operation.params == [1.0]


def test_identity_is_of_the_source_and_runs_nothing(module: str, tmp_path: Path) -> None:
    ref = f"python:{module}:chain"
    found = identity(SourceKind.GENERATOR, ref, None, {"num_qubits": 3}, None, {module})
    assert found == {
        "generator": ref,
        "source": sha256(MODULE.encode()),
        "args": {"num_qubits": 3},
        "parameters": {},
    }
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("function", "code", "message"),
    [
        ("unmeasured", "S403", "measures nothing"),
        ("number", "S406", "returned an int"),
        ("nothing", "S406", "returned nothing"),
        ("endless", "S406", "turns `rx` by inf"),
        ("leaving", "S406", "SystemExit: 9"),
        ("failing", "S406", "RuntimeError: out of luck"),
        ("missing", "S405", "has no `missing`"),
        ("constant", "S405", "is an int, not a function"),
        ("", "S405", "does not name a function"),
        ("chain()", "S405", "does not name a function"),
    ],
)
def test_what_is_wrong_with_code_is_told(
    module: str, function: str, code: str, message: str
) -> None:
    with pytest.raises(CircuitError, match=message.replace("(", r"\(")) as caught:
        find_generator(f"python:{module}:{function}", {module}).build({})
    assert caught.value.code == code


def test_modules_that_are_missing_or_do_not_import(module: str, tmp_path: Path) -> None:
    (tmp_path / f"broken_{module}.py").write_text("1 / 0")
    for name, message in (
        ("no_such_module_at_all", "there is no Python module"),
        ("no_such_package.at_all", "there is no Python module"),
        (f"broken_{module}", "division by zero"),
    ):
        with pytest.raises(UnknownGenerator, match=message):
            find_generator(f"python:{name}:f", {name})


def test_a_module_that_is_missing_is_told_with_how_to_allow_it() -> None:
    with pytest.raises(UnknownGenerator, match="not allowed") as caught:
        find_generator("python:no_such_module_at_all:f")
    assert caught.value.hint.endswith("in a folder that PYTHONPATH names)")


@pytest.mark.parametrize("ref", ["os:getcwd", "os.path:join", "sys:exit", "json:loads"])
@pytest.mark.parametrize("allowed", [True, False])
def test_modules_of_python_hold_no_generators(ref: str, allowed: bool) -> None:
    with pytest.raises(UnknownGenerator, match="a module of Python itself") as caught:
        find_generator(f"python:{ref}", {ref.partition(":")[0]} if allowed else set())
    assert caught.value.code == "S405"
    assert "QuantumCircuit" in caught.value.hint


@pytest.mark.slow
def test_a_users_module_may_have_the_name_of_one_of_pythons(tmp_path: Path) -> None:
    (tmp_path / "turtle.py").write_text(MODULE)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from iqm_spec.circuits import find_generator\n"
        "print(find_generator('python:turtle:chain', {'turtle'}).summary)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "A chain of rotations.\n"


PRINTING = """
import os, sys
from qiskit import QuantumCircuit
print("at import")

def printing():
    print("in Python")
    sys.__stdout__.write("behind its back")
    os.write(1, b"by the system")
    os.system("echo by another process")
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    return circuit
"""


@pytest.mark.slow
def test_what_code_prints_stays_out_of_the_answer(tmp_path: Path, answer: Any) -> None:
    (tmp_path / "loud.py").write_text(PRINTING)
    (tmp_path / "x.yaml").write_text(f"{SPEC}circuits: [{{generator: 'python:loud:printing'}}]\n")
    path = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    told = answer("validate", "x.yaml", "--allow-code", "loud", env=path)
    assert told["specs"][0]["points"] == 1


def test_what_code_prints_is_told_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    with printing_to_stderr():
        print("in Python")
        os.system("echo by another process")
    print("ours")
    out, err = capfd.readouterr()
    assert out == "ours\n"
    assert {"in Python", "by another process"} <= set(err.split("\n"))


@pytest.mark.slow
def test_an_open_parameter_of_a_generator_has_its_place(
    module: str, tmp_path: Path, answer: Any
) -> None:
    entry = f"{{generator: 'python:{module}:free', args: {{num_qubits: 1}}}}"
    (tmp_path / "x.yaml").write_text(f"{SPEC}circuits:\n- {entry}\n")
    path = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    args = ("run", "x.yaml", "--dry-run", "--allow-code", module)
    (told,) = answer(*args, env=path, exit_code=3)["error"]["diagnostics"]
    assert (told["file"], told["line"], told["column"], told["code"]) == ("x.yaml", 5, 15, "S407")
    assert "leaves `theta`" in told["message"]


def test_free_parameters_of_a_generator_are_bound(module: str) -> None:
    ref = f"python:{module}:free"
    assert find_generator(ref, {module}).facts({"num_qubits": 1}).inputs == ("theta",)
    args = {"num_qubits": 1}
    bound = build_circuit(SourceKind.GENERATOR, ref, None, args, {"theta": 2}, {module})
    assert bound.data[0].operation.params == [2.0]
    with pytest.raises(CircuitError, match="has no value"):
        build_circuit(SourceKind.GENERATOR, ref, None, args, None, {module})


def test_installed_packages_offer_generators(module: str, tmp_path: Path) -> None:
    """A distribution as pip leaves it: its metadata names an object and a function."""
    metadata = tmp_path / "their_package-2.5.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 2.5\n")
    (metadata / "entry_points.txt").write_text(
        "[iqm_spec.generators]\n"
        f"their_chain = {module}:chain\n"
        f"their_ghz = {module}:GHZ\n"
        "their_mistake = no_such_module_at_all:x\n"
    )
    assert {"their_chain", "their_ghz"} <= set(known_generators())
    assert find_generator("their_chain").facts({"num_qubits": 2}) == CircuitFacts(2, 2, 2)
    assert identity(SourceKind.GENERATOR, "their_ghz", None, {"num_qubits": 2}) == {
        "generator": "their_ghz",
        "version": "1",
        "source": "their-package==2.5",
        "args": {"num_qubits": 2, "shape": "line"},
        "parameters": {},
    }
    assert find_generator("their_ghz").build({"num_qubits": 2}) == find_generator("ghz").build(
        {"num_qubits": 2}
    )
    with pytest.raises(UnknownGenerator, match="of their-package cannot be loaded"):
        find_generator("their_mistake")


# --- MQT Bench -----------------------------------------------------------------------------------

pytest_mqt = pytest.mark.skipif(
    not any(n.startswith("mqt:") for n in known_generators()), reason="no mqt"
)


@pytest_mqt
def test_mqt_tells_its_arguments_without_being_imported() -> None:
    parameters = {p.name: p for p in find_generator("mqt:graphstate").parameters}
    assert list(parameters) == ["num_qubits", "degree", "seed"]
    assert (parameters["degree"].default, parameters["seed"].default) == (2, 0)
    assert "from 1 to 16" in find_generator("mqt:grover").check({"num_qubits": 60})[0].message
    assert [
        item.argument for item in find_generator("mqt:ghz").check({"num_qubits": 3, "x": 1})
    ] == ["x"]
    with pytest.raises(UnknownGenerator, match="mqt-bench has no `gzh`") as caught:
        find_generator("mqt:gzh")
    assert "mqt:ghz" in caught.value.hint


@pytest_mqt
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("ghz", {"num_qubits": 4}),
        ("graphstate", {"num_qubits": 6, "degree": 3, "seed": 5}),
        ("vqe_two_local", {"num_qubits": 3, "entanglement": "linear"}),
        ("bv", {"num_qubits": 4, "hidden_string": "101"}),
    ],
)
def test_mqt_builds_measured_circuits(name: str, args: dict[str, object]) -> None:
    generator = find_generator(f"mqt:{name}")
    circuit = generator.build(args)  # type: ignore[arg-type]
    facts = generator.facts(args)  # type: ignore[arg-type]
    assert facts == facts_of(circuit)
    assert facts.measured
    assert facts.inputs == ()
    assert circuit == generator.build(args)  # type: ignore[arg-type]


@pytest_mqt
@pytest.mark.slow
def test_mqt_says_which_sizes_it_cannot_build() -> None:
    with pytest.raises(CircuitError, match="cannot build `full_adder`") as caught:
        find_generator("mqt:full_adder").build({"num_qubits": 3})
    assert caught.value.code == "S406"


def test_without_mqt_the_extra_is_named(tmp_path: Path) -> None:
    """In an environment that holds what this needs and no more."""
    for package in ("attr", "attrs", "rfc8785"):
        (tmp_path / package).symlink_to(Path(__import__(package).__file__ or "").parent)
    root = Path(__file__).parents[2]
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(root)!r}]\n"
        "from iqm_spec.circuits import CircuitError, find_generator, known_generators\n"
        "assert not [name for name in known_generators() if ':' in name]\n"
        "try:\n    find_generator('mqt:ghz')\n"
        "except CircuitError as error: print(error.code, error.hint)\n"
    )
    command = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "S405 pip install 'iqm-spec[mqt]'\n", done.stderr
