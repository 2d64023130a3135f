"""Finds a generator by its name in a spec."""

from __future__ import annotations

from collections.abc import Set
from importlib.metadata import entry_points

from iqm_spec.circuits import mqt, user_code
from iqm_spec.circuits.generator import Generator
from iqm_spec.circuits.generators import BUILT_IN
from iqm_spec.circuits.problems import UnknownGenerator
from iqm_spec.circuits.user_code import printing_to_stderr
from iqm_spec.diagnostics import nearest

ENTRY_POINTS = "iqm_spec.generators"
"""Entry-point group of installed packages: generators, or functions that build circuits."""


def find_generator(name: str, allowed_code: Set[str] = frozenset()) -> Generator:
    """The generator called `name`: built-in, `mqt:NAME`, `python:module:function` or installed.

    `allowed_code` names the modules that `python:` may import. Raises `UnknownGenerator`.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]
    if name.startswith(mqt.PREFIX):
        return mqt.find_benchmark(name)
    if name.startswith(user_code.PREFIX):
        return user_code.find_function(name, allowed_code)
    for entry in entry_points(group=ENTRY_POINTS, name=name):
        # the generator of an entry point; its package's version enters the circuits' identity
        package = entry.dist.name if entry.dist else entry.module
        source = f"{package}=={entry.dist.version}" if entry.dist else package
        try:
            with printing_to_stderr():
                loaded = entry.load()
        except (Exception, SystemExit) as error:
            text = f"the generator `{entry.name}` of {package} cannot be loaded: {error}"
            raise UnknownGenerator("S405", text, hint=f"reinstall {package}") from error
        return user_code.generator_from(entry.name, loaded, source)
    raise UnknownGenerator(
        "S405",
        f"there is no generator `{name}`",
        hint=nearest(name, known_generators())
        or f"the generators are {', '.join(known_generators())}",
    )


def known_generators() -> tuple[str, ...]:
    """Names of the built-in and installed generators and of mqt-bench's, where it is installed."""
    installed = {entry.name for entry in entry_points(group=ENTRY_POINTS)}
    return (*sorted({*BUILT_IN, *installed}), *mqt.known_benchmarks())
