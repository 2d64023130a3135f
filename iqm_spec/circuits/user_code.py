"""Generators from other people's Python code: the user's allowed modules, installed packages.

Modules are imported only where the user allowed them; what their code prints goes to stderr.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager, redirect_stdout, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from attrs import evolve

from iqm_spec.canonical import sha256
from iqm_spec.circuits.angles import ANGLE_HINT, non_finite_angles
from iqm_spec.circuits.generator import REQUIRED, Args, Generator, Parameter
from iqm_spec.circuits.problems import CircuitError, UnknownGenerator
from iqm_spec.json_types import Json

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


PREFIX = "python:"

_IMPORTABLE = "must be importable: installed, or in a folder that PYTHONPATH names"


def find_function(ref: str, allowed_code: Set[str]) -> Generator:
    """The generator of `python:module:function`; imports the module only if it is allowed.

    Raises `UnknownGenerator`: S409 where it is not allowed, S405 where it is not there.
    """
    module_name, function_name = _split(ref, allowed_code)
    source = source_digest(ref, allowed_code)
    try:
        with printing_to_stderr():
            function = getattr(importlib.import_module(module_name), function_name, None)
    except (Exception, SystemExit) as error:
        text = f"importing `{module_name}` failed: {type(error).__name__}: {error}"
        raise UnknownGenerator("S405", text, hint="the module must import by itself") from error
    if function is None:
        text = f"the module `{module_name}` has no `{function_name}`"
        raise UnknownGenerator("S405", text, hint="write python:package.module:function")
    return generator_from(ref, function, source)


def source_digest(ref: str, allowed_code: Set[str]) -> str:
    """Sha256 of the source of the module that `ref` names, without importing that module."""
    module_name, _ = _split(ref, allowed_code)
    text = f"there is no Python module `{module_name}`"
    hint = f"it {_IMPORTABLE}"
    try:
        with printing_to_stderr():
            spec = find_spec(module_name)
    except (Exception, SystemExit) as error:  # importing a parent package runs the user's code
        raise UnknownGenerator("S405", text, hint=hint) from error
    if spec is None or not spec.origin or not Path(spec.origin).is_file():
        raise UnknownGenerator("S405", text, hint=hint)
    return sha256(Path(spec.origin).read_bytes())


def _split(ref: str, allowed_code: Set[str]) -> tuple[str, str]:
    module_name, _, function_name = ref.removeprefix(PREFIX).partition(":")
    names = (*module_name.split("."), function_name)
    if not all(name.isidentifier() for name in names):
        text = f"`{ref}` does not name a function"
        raise UnknownGenerator("S405", text, hint="write python:package.module:function")
    origin = _origin(names[0])
    if origin and _is_standard_library(names[0], origin):
        text = f"`{module_name}` is a module of Python itself, which holds no generators"
        hint = "name a function of yours that returns a measured qiskit.QuantumCircuit"
        raise UnknownGenerator("S405", text, hint=hint)
    if module_name not in allowed_code:
        text = f"the spec asks to run code of the module `{module_name}`, which was not allowed"
        more = "" if origin else f" (it {_IMPORTABLE})"
        hint = f"read it, then add --allow-code {module_name}{more}"
        raise UnknownGenerator("S409", text, hint=hint)
    return module_name, function_name


def _origin(package: str) -> str:
    """Origin of a top-level package, without running it; empty where there is none."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return ""
    return "" if spec is None else spec.origin or "a namespace"


def _is_standard_library(package: str, origin: str) -> bool:
    """Whether the package is the standard library's, not shadowed by a file of the same name."""
    if package not in sys.stdlib_module_names:
        return False
    return origin in ("built-in", "frozen") or origin.startswith(sysconfig.get_path("stdlib"))


def generator_from(name: str, builder: object, source: str) -> Generator:
    """A generator called `name` from a `Generator`, or from a function that returns a circuit."""
    if isinstance(builder, Generator):
        checked = _requiring_measured(name, lambda args: builder.circuit(args))
        return evolve(builder, name=name, circuit=checked, source=source)
    if not callable(builder):
        text = f"`{name}` is {with_article(type(builder).__name__)}, not a function"
        raise UnknownGenerator("S405", text, hint="it must return a measured QuantumCircuit")
    try:
        signature = inspect.signature(builder)
    except (TypeError, ValueError) as error:
        text = f"`{name}` has no signature that Python can read"
        raise UnknownGenerator("S405", text, hint="name a Python function") from error
    return Generator(
        name=name,
        version="source",
        summary=(inspect.getdoc(builder) or "").partition("\n")[0],
        parameters=tuple(
            Parameter(
                parameter.name,
                "any",
                f"Argument of {name}.",
                default=REQUIRED if parameter.default is parameter.empty else parameter.default,
            )
            for parameter in signature.parameters.values()
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        ),
        circuit=_requiring_measured(name, lambda args: builder(**args)),
        source=source,
    )


def _requiring_measured(
    name: str, build: Callable[[Args], object]
) -> Callable[[Args], QuantumCircuit]:
    """`build` with `CircuitError` for its exceptions and for anything but a measured circuit."""

    def circuit(args: Mapping[str, Json]) -> QuantumCircuit:
        try:
            with printing_to_stderr():
                built = build(args)
        except (Exception, SystemExit) as error:
            text = f"generator `{name}` failed: {type(error).__name__}: {error}"
            raise CircuitError("S406", text, hint="check its arguments, or fix it") from error
        return require_measured(name, built)

    return circuit


def require_measured(name: str, built: object) -> QuantumCircuit:
    """`built` if it is a circuit that measures something; `CircuitError` otherwise."""
    from qiskit import QuantumCircuit

    from iqm_spec.circuits.facts import facts_of

    if not isinstance(built, QuantumCircuit):
        what = "nothing" if built is None else with_article(type(built).__name__)
        text = f"generator `{name}` returned {what}, not a QuantumCircuit"
        raise CircuitError("S406", text, hint="return a measured qiskit.QuantumCircuit")
    if facts_of(built).measured == 0:
        text = f"the circuit of generator `{name}` measures nothing"
        raise CircuitError("S403", text, hint="call circuit.measure_all() before returning it")
    for gate, value in non_finite_angles(built):
        text = f"generator `{name}` turns `{gate}` by {value}"
        raise CircuitError("S406", text, hint=ANGLE_HINT)
    return built


@contextmanager
def printing_to_stderr() -> Iterator[None]:
    """Send output of Python code, of C libraries and of subprocesses to stderr."""
    _flush(sys.stdout)
    with redirect_stdout(sys.stderr):
        saved = _stdout_to_stderr()
        try:
            yield
        finally:
            _flush()
            if saved is not None:
                os.dup2(saved, 1)
                os.close(saved)


def _stdout_to_stderr() -> int | None:
    """Point file descriptor 1 at stderr; return a copy of it, or None where either is closed."""
    try:
        saved = os.dup(1)
    except OSError:
        return None
    try:
        os.dup2(2, 1)
    except OSError:
        os.close(saved)
        return None
    return saved


def _flush(*streams: TextIO | None) -> None:
    """Flush what is buffered, while descriptor 1 still points where it belongs."""
    for stream in (*streams, sys.__stdout__):
        with suppress(OSError, ValueError):  # a closed pipe or stream
            if stream is not None:
                stream.flush()


def with_article(noun: str) -> str:
    """`an int`, `a str`."""
    return f"{'an' if noun[:1] in 'aeiouAEIOU' else 'a'} {noun}"
