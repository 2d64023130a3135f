"""pyproject.toml declares what the package imports, and insides of others are where they were."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import iqm_spec

PACKAGE = Path(iqm_spec.__file__).parent
PROJECT = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
NAMESPACES = {"iqm": {"iqm-client"}, "mqt": {"mqt-bench"}}
"""Packages that several distributions share, with the one that is meant."""
EXTRAS = {"mqt": "mqt", "stim": "stim", "pymatching": "stim", "pyarrow": "parquet"} | dict.fromkeys(
    ("dask", "dask_jobqueue", "distributed"), "dask"
)
"""Modules that come with an extra, and are imported where it is asked for."""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(extra: str = "") -> set[str]:
    lines = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    return {normal(Requirement(line).name) for line in lines}


def imported(path: Path) -> Iterator[str]:
    """Top-level names that a module imports, those for type checkers alone aside."""
    tree = ast.parse(path.read_text())
    typed = {
        id(node)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.If) and "TYPE_CHECKING" in ast.unparse(outer.test)
        for node in ast.walk(outer)
    }
    for node in ast.walk(tree):
        if id(node) in typed:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_what_is_imported_is_declared() -> None:
    used: dict[str, Path] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        used |= dict.fromkeys(imported(path), path)
    used = {
        name: path
        for name, path in used.items()
        if name not in sys.stdlib_module_names and name != "iqm_spec"
    }
    installed = packages_distributions()
    lacking = []
    for name, path in used.items():
        owners = NAMESPACES.get(name) or {normal(one) for one in installed.get(name, [name])}
        if not owners & declared(EXTRAS.get(name, "")):
            lacking.append(f"{'/'.join(sorted(owners))} ({name} in {path.relative_to(PACKAGE)})")
    assert not lacking, f"pyproject.toml does not declare {', '.join(lacking)}"
    assert not EXTRAS.keys() - used.keys(), "extras that nothing imports"


@pytest.mark.parametrize("name", ["stevedore", "urllib3", "uvicorn", "iqm-client"])
def test_versions_are_bounded_where_insides_are_used(name: str) -> None:
    (bound,) = [
        requirement.specifier
        for line in PROJECT["dependencies"]
        if (requirement := Requirement(line)).name == name
    ]
    assert any(part.operator == "<" for part in bound), f"{name} has no upper bound"
    assert bound.contains(version(name))


def test_uvicorn_is_as_the_emulator_needs_it() -> None:
    import asyncio

    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    moved = f"uvicorn {version('uvicorn')} has moved it: correct iqm_spec/emulator/"
    assert issubclass(H11Protocol, asyncio.Protocol), f"H11Protocol: {moved}connections.py"
    assert callable(getattr(uvicorn.Server, "capture_signals", None)), (
        f"Server.capture_signals: {moved}serve.py"
    )
    server = uvicorn.Server(uvicorn.Config("a:b", http=H11Protocol))
    assert server.should_exit is False, f"Server.should_exit: {moved}serve.py"


def test_stevedore_is_as_transpiling_needs_it() -> None:
    from stevedore import ExtensionManager

    cache = getattr(ExtensionManager, "ENTRY_POINT_CACHE", None)
    assert isinstance(cache, dict), (
        f"stevedore {version('stevedore')} has no ExtensionManager.ENTRY_POINT_CACHE: "
        "correct iqm_spec/transpile/route.py, or every plugin that is installed is imported"
    )


def test_urllib3_and_requests_are_as_requests_to_servers_need_them() -> None:
    import requests.adapters
    import urllib3

    pool = urllib3.PoolManager()
    assert set(pool.pool_classes_by_scheme) == {"http", "https"}, (
        "correct iqm_spec/server_api/exchange.py"
    )
    for name in ("init_poolmanager", "proxy_manager_for", "send"):
        assert hasattr(requests.adapters.HTTPAdapter, name), (
            "correct iqm_spec/server_api/exchange.py"
        )
