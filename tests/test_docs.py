"""Docs tell the truth: links lead somewhere, made pages are up to date, experiments are sound."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from iqm_spec.cli.app import COMMANDS
from iqm_spec.engine.prepare import load
from tools import make_commands

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXPERIMENTS = sorted(p for p in (ROOT / "experiments").iterdir() if p.suffix in (".yaml", ".toml"))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_the_page_of_commands_is_up_to_date() -> None:
    assert make_commands.main(["--check"]) == 0, "run `make docs`"


def test_the_readme_names_commands_that_exist() -> None:
    named = set(re.findall(r"(?:bin/|`)iqm-spec ([a-z]+)", (ROOT / "README.md").read_text()))
    assert named <= COMMANDS.keys()
    assert {"run", "validate", "verify", "export", "status"} <= named


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda p: p.name)
def test_experiments_are_sound_and_explain_themselves(path: Path) -> None:
    checked = load(path)
    assert checked.spec.name == path.stem
    comments = [line for line in path.read_text().splitlines() if line.startswith("# ")]
    assert len(comments) >= 3


def test_the_readmes_example_is_an_experiment(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (tmp_path / "ghz.yaml").write_text(example)
    assert load(tmp_path / "ghz.yaml").spec.name == "ghz"
