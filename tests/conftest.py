"""What all tests share: the command line in a process of its own, and specs written on the spot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.forks import forks, may_fork

settings.register_profile("default", deadline=None)
settings.load_profile("default")

ROOT = Path(__file__).parent.parent

LONGEST = 300.0
"""Seconds that a loaded machine may take for one command."""

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the programs of all tests remember circuit files."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(cache: Path) -> Iterator[None]:
    """Tests leave the cache of whoever runs them alone."""
    before = os.environ.get("IQM_SPEC_CACHE")
    os.environ["IQM_SPEC_CACHE"] = str(cache)
    yield
    if before is None:
        del os.environ["IQM_SPEC_CACHE"]
    else:
        os.environ["IQM_SPEC_CACHE"] = before


def _command(folder: Path, cache: Path, *, spawn: bool) -> Cli:
    def run(
        *args: object,
        columns: int = 100,
        env: Mapping[str, str] | None = None,
        cwd: Path = folder,
    ) -> subprocess.CompletedProcess[str]:
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("IQM_", "PYTHONDONTWRITE"))
        }
        given = {**kept, "COLUMNS": str(columns), "IQM_SPEC_CACHE": str(cache), **(env or {})}
        argv = list(map(str, args))
        if may_fork(env) and not spawn:
            return forks().run("iqm_spec", argv, cwd=cwd, env=given, timeout=LONGEST)
        return subprocess.run(
            [sys.executable, "-m", "iqm_spec", *argv],
            cwd=cwd,
            env=given,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )

    return run


@pytest.fixture
def cli(tmp_path: Path, cache: Path) -> Cli:
    """Runs `iqm-spec ARGS...` in the test's folder and in an environment without credentials."""
    return _command(tmp_path, cache, spawn=False)


@pytest.fixture
def spawned(tmp_path: Path, cache: Path) -> Cli:
    """As `cli`, in a process that is made as a shell makes it, with a hash seed of its own."""
    return _command(tmp_path, cache, spawn=True)


@pytest.fixture
def answer(cli: Cli) -> Callable[..., Any]:
    """Runs a command with `--json`; gives its document, after checking the exit code it tells."""

    def ask(*args: object, exit_code: int = 0, **kwargs: Any) -> Any:
        done = cli(*args, "--json", **kwargs)
        assert done.returncode == exit_code, done.stderr + done.stdout
        document = json.loads(done.stdout)
        assert document["exit"] == exit_code
        return document

    return ask


@pytest.fixture(scope="module")
def any_shape() -> Iterator[None]:
    """What folders hold may have any shape: for tests of folders that are full of toys."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("records.RECORDS", "records.HEADERS", "objects.FORMATS", "events.EVENTS"):
            patch.setattr(f"iqm_spec.store.{name}", {})
        yield
