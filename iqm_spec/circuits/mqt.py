"""MQT Bench's circuits as generators `mqt:NAME`, at its algorithm level.

N. Quetschlich, L. Burgholzer, R. Wille, "MQT Bench", Quantum 7, 1062 (2023). Names and arguments
are read from the installed package's source: importing it takes seconds.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iqm_spec.circuits.generator import LARGEST_SEED, Args, Generator, Kind, Parameter, num_qubits
from iqm_spec.circuits.problems import CircuitError, UnknownGenerator
from iqm_spec.diagnostics import nearest

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

PREFIX = "mqt:"

_PACKAGE = "mqt-bench"
_FOLDER = "mqt/bench/benchmarks"
_KINDS: dict[str, Kind] = {"int": "int", "float": "float", "bool": "bool", "str": "text"}
_EXPONENTIAL = {"ae": 16, "grover": 16, "hhl": 12, "qpeexact": 64, "qpeinexact": 64, "qwalk": 16}
"""Families whose circuits grow exponentially with the width, and the largest width built."""


def find_benchmark(name: str) -> Generator:
    """The generator of `mqt:NAME`; `UnknownGenerator` where mqt-bench or the name is missing."""
    files = _files()
    if not files:
        text = f"the generator `{name}` needs the package {_PACKAGE}, which is not installed"
        raise UnknownGenerator("S405", text, hint="pip install 'iqm-spec[mqt]'")
    benchmark = name.removeprefix(PREFIX)
    if benchmark not in files:
        hint = nearest(name, known_benchmarks()) or f"mqt-bench has {', '.join(files)}"
        raise UnknownGenerator("S405", f"mqt-bench has no `{benchmark}`", hint=hint)
    # parameters: `num_qubits`, and arguments of the benchmark's function that a spec can express
    tree = ast.parse(files[benchmark].read_bytes())
    function = next(
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == "create_circuit"
    )
    width = num_qubits("Size of the circuit.", maximum=_EXPONENTIAL.get(benchmark, 256))
    positional = function.args.args
    with_default = zip(positional[::-1], function.args.defaults[::-1], strict=False)
    keywords = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    rest = [
        _parameter(argument, default)
        for argument, default in (*list(with_default)[::-1], *keywords)
    ]
    return Generator(
        name=name,
        version=distribution(_PACKAGE).version,
        summary=f"MQT Bench's {benchmark}, at the algorithm level.",
        parameters=(width, *(parameter for parameter in rest if parameter is not None)),
        circuit=lambda args: _circuit(benchmark, args),
    )


def known_benchmarks() -> tuple[str, ...]:
    """`mqt:NAME` of every benchmark of the installed mqt-bench; none where it is not."""
    return tuple(PREFIX + name for name in _files())


@lru_cache(maxsize=1)
def _files() -> dict[str, Path]:
    """Source files of the benchmarks by name, in order."""
    try:
        package = distribution(_PACKAGE)
    except PackageNotFoundError:
        return {}
    folder = Path(str(package.locate_file(_FOLDER)))
    return {path.stem: path for path in sorted(folder.glob("[a-z]*.py"))}


def _parameter(argument: ast.arg, default: ast.expr | None) -> Parameter | None:
    """The parameter of an argument with a default of plain data; None for other arguments."""
    annotation = ast.unparse(argument.annotation) if argument.annotation else ""
    types = {name.strip() for name in annotation.split("|")}
    kind = next((_KINDS[name] for name in ("str", "bool", "int", "float") if name in types), None)
    value: Any = getattr(default, "value", ...)
    if kind is None or value is ...:
        return None
    if argument.arg == "seed":  # with mqt-bench's default of None each build draws another circuit
        return Parameter(
            "seed", "int", "Seed.", default=value or 0, minimum=0, maximum=LARGEST_SEED
        )
    bounds = (0, 1000) if kind == "int" else (None, None)
    doc = f"Argument `{argument.arg}` of MQT Bench's function."
    return Parameter(argument.arg, kind, doc, default=value, minimum=bounds[0], maximum=bounds[1])


def _circuit(benchmark: str, args: Args) -> QuantumCircuit:
    """The benchmark, measured; its free angles, if any, are drawn by mqt-bench's fixed seed."""
    from mqt.bench import get_benchmark_alg

    options = {name: value for name, value in args.items() if name != "num_qubits"}
    try:
        circuit = get_benchmark_alg(benchmark, args["num_qubits"], **options)
    except Exception as error:
        text = f"mqt-bench cannot build `{benchmark}`: {error}"
        raise CircuitError("S406", text, hint="see the benchmark's allowed sizes") from error
    if not any(step.operation.name == "measure" for step in circuit.data):
        circuit.measure_all()
    measured: QuantumCircuit = circuit
    return measured
