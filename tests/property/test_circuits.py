"""Any bytes are facts or problems; any arguments are a circuit as told, or problems."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from qiskit import qpy

from iqm_spec.canonical import canonical
from iqm_spec.circuits import (
    CircuitFileError,
    Generator,
    Parameter,
    find_generator,
    inspect_qasm,
    inspect_qpy,
    read_circuit_file,
    scan_inputs,
)
from iqm_spec.circuits.facts import facts_of
from iqm_spec.circuits.generators import BUILT_IN

pytestmark = pytest.mark.slow


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)

# --- generators ----------------------------------------------------------------------------------


def value_of(parameter: Parameter, width: int) -> st.SearchStrategy[Any]:
    """Values that are sound for the parameter alone, small enough to build in a moment."""
    low = int(parameter.minimum or 0)
    bits = st.text("01", min_size=max(1, width - 1), max_size=width)
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "int": st.integers(low, max(low, min(int(parameter.maximum or 6), 6))),
        "float": st.floats(parameter.minimum or -4, parameter.maximum or 4),
        "bool": st.booleans(),
        "text": st.sampled_from(parameter.choices or ("",)),
        "bits": bits,
        "floats": st.integers(-3, 3) | st.lists(st.floats(-4, 4), max_size=4),
        "texts": bits | st.lists(bits, min_size=1, max_size=3),
        "edges": st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=6),
    }
    if parameter.name == "num_qubits":
        return st.just(max(width, low))
    return kinds[parameter.kind]


@st.composite
def calls(draw: st.DrawFn) -> tuple[Generator, dict[str, Any]]:
    generator = find_generator(draw(st.sampled_from(sorted(BUILT_IN))))
    width = draw(st.integers(1, 5))
    args = {}
    for parameter in generator.parameters:
        if parameter.default is not None or draw(st.booleans()):
            args[parameter.name] = draw(value_of(parameter, width))
    return generator, args


@given(calls())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_facts_are_told_without_building(call: tuple[Generator, dict[str, Any]]) -> None:
    generator, args = call
    assume(not generator.check(args))
    circuit = generator.build(args)
    assert generator.facts(args) == facts_of(circuit)
    assert circuit == generator.build(args)
    assert canonical(generator.complete(args)) == canonical(
        generator.complete(generator.complete(args))
    )


@given(st.sampled_from(sorted(BUILT_IN)), st.data())
@settings(max_examples=300, deadline=None)
def test_any_arguments_are_sound_or_told(name: str, data: st.DataObject) -> None:
    generator = find_generator(name)
    names = st.sampled_from([parameter.name for parameter in generator.parameters])
    args = data.draw(st.dictionaries(names | st.text(max_size=4), JSON, max_size=4))
    problems = generator.check(args)
    assert all(
        item.message and item.argument in (None, *args, *known(generator)) for item in problems
    )
    if not problems:
        assert generator.facts(args).num_qubits >= 1


def known(generator: Generator) -> list[str]:
    return [parameter.name for parameter in generator.parameters]


# --- OpenQASM ------------------------------------------------------------------------------------

_WORDS = """
OPENQASM 2.0 3.0 include "qelib1.inc" "stdgates.inc" qreg creg qubit bit q c [ ] ( ) { } ; , . -> =
2 3 0.5 pi + - * / ^ gate opaque h cx rx u0 ctrl inv pow @ if else for while in : measure reset
barrier delay box input float angle theta let int uint const == ++ 100ns // /* */ # pragma $1 def
return switch case true " ' q[0] c[1] h~q; cx~q[0],q[1]; measure~q->c; c~=~measure~q;
gate~g~a~{~h~a;~} g~q[2];
"""
WORDS = ["\n", *(word.replace("~", " ") for word in _WORDS.split())]

HEADS = (
    'OPENQASM 2.0; include "qelib1.inc"; qreg q[3]; creg c[3]; ',
    'OPENQASM 3.0; include "stdgates.inc"; input float theta; qubit[3] q; bit[3] c; ',
    "",
)
TEXTS = st.builds(
    lambda head, words: head + " ".join(words),
    st.sampled_from(HEADS),
    st.lists(st.sampled_from(WORDS), max_size=25),
)
FILES = [
    path.read_bytes() for path in sorted((Path(__file__).parents[1] / "circuits").glob("*.qasm"))
]


@st.composite
def damaged(draw: st.DrawFn, originals: list[bytes]) -> bytes:
    """A sound file with a part of it replaced, left out or repeated."""
    data = draw(st.sampled_from(originals))
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(len(data), start + 12)))
    return data[:start] + draw(st.binary(max_size=6) | st.just(data[start:end] * 2)) + data[end:]


def check_told(data: bytes) -> None:
    facts, problems = inspect_qasm(data)
    assert (facts is None) == bool(problems)
    lines = data.decode("utf-8", errors="replace").replace("\r", "\n").count("\n") + 1
    for problem in problems:
        assert 1 <= problem.line <= lines
        assert problem.column >= 1
        assert problem.code in ("S402", "S403", "S411")
        assert problem.message
    if facts is not None:
        assert facts.measured >= 1
        assert scan_inputs(data) == facts.inputs


@given(st.binary(max_size=80) | TEXTS.map(str.encode) | damaged(FILES))
@example(b"OPENQASM 3.0;\n@")
@example(b'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\nrx(1e999) q[0];')
@settings(max_examples=700, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_are_facts_or_problems(data: bytes) -> None:
    check_told(data)


NAMES = st.from_regex(r"[a-zA-Z_]\w{0,5}", fullmatch=True).filter(
    lambda name: not name.startswith("_") and name.isidentifier()
)


@given(
    st.lists(
        st.tuples(NAMES, st.sampled_from(["float", "float[64]", "angle", "angle[ 32 ]"])),
        max_size=4,
        unique_by=lambda item: item[0],
    ),
    st.sampled_from([" ", "\n", " // input float no;\n", " /* input float no; */ "]),
)
@settings(max_examples=150, deadline=None)
def test_scanning_for_inputs_agrees_with_the_parser(
    inputs: list[tuple[str, str]], space: str
) -> None:
    declared = "".join(f"input{space}{kind}{space}{name}{space};" for name, kind in inputs)
    text = f"OPENQASM 3.0;{space}{declared}qubit q_;bit b_ = measure q_;"
    facts, _ = inspect_qasm(text.encode())
    assume(facts is not None)  # a keyword is no name
    assert facts is not None
    assert scan_inputs(text.encode()) == facts.inputs == tuple(name for name, _ in inputs)


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_scanning_any_bytes_gives_names(data: bytes) -> None:
    assert all(isinstance(name, str) for name in scan_inputs(b"OPENQASM 3;" + data))


# --- QPY -----------------------------------------------------------------------------------------


def dumped(name: str) -> bytes:
    file = io.BytesIO()
    qpy.dump(find_generator(name).build(find_generator(name).example), file)
    return file.getvalue()


DUMPS = [dumped(name) for name in ("bell", "quantum_volume", "grover", "tfim")]


@given(damaged(DUMPS) | st.binary(max_size=80).map(lambda tail: b"QISKIT\x0f\x02\x01\x02" + tail))
@settings(max_examples=500, deadline=None)
def test_any_qpy_is_facts_or_problems(data: bytes) -> None:
    facts, problems = inspect_qpy(data)
    assert (facts is None) == bool(problems)
    assert all(problem.message and problem.code in ("S402", "S403") for problem in problems)


# --- files ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret").write_text("secret")
    folder = outside / "spec"
    folder.mkdir()
    (folder / "a").write_text("inside")
    (folder / "up").symlink_to("..")
    return folder


@given(
    st.lists(st.sampled_from(["..", ".", "a", "up", "spec", "secret", "", "/", "~", "\0"])).map(
        "/".join
    )
    | st.text(max_size=20)
)
@settings(max_examples=300, deadline=None)
def test_no_path_leaves_the_folder(folder: Path, ref: str) -> None:
    try:
        assert read_circuit_file(folder, ref) == b"inside"
    except CircuitFileError as error:
        assert error.code in ("S401", "S408")  # noqa: PT017 (either is right)
