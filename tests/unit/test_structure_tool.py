from __future__ import annotations

import pytest

from tools.structure import Figure, measure, table

FILES = {
    "__init__.py": '"""The package."""\n',
    "json_types.py": "from typing import Any\n\nJson = Any  # Any\n",
    "engine/__init__.py": "",
    "engine/run.py": '''\
"""Says "Any", Stage.AER and time.sleep(1) in a docstring only."""

import time

from iqm_spec import json_types
from iqm_spec.engine.words import Row, _label

RETRY_SECONDS = 0.5
LONGEST = 30.0


class RetryPolicy:
    first: float = 1.0
    name: str = "policy"


def wait(event, state, plan):
    for one in plan.header["stages"]:
        if one == "aer" or "mode" in plan.header:
            event.wait(timeout=LONGEST)
    event.wait()
    told = state.fields.get("status")
    time.sleep(RETRY_SECONDS)
    return told, Row, _label, json_types, plan.values["header"]
''',
    "engine/words.py": """\
class Row:
    def show(self):
        return _label(_short(self))


def _label(row):
    return row


def _short(found):
    return _label(found)
""",
    "stages/words.py": "from iqm_spec.model import Stage\n\nNAMES = (Stage.AER, 'mock')\n",
    "model.py": "class Row: ...\n\n\nclass Stage:\n    AER = 'aer'\n",
    "emulator.py": "import time\n\ntime.sleep(1)\n",
}


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Figure]:
    tree = tmp_path_factory.mktemp("tree")
    for name, text in FILES.items():
        path = tree / "iqm_spec" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tree / "pyproject.toml").write_text('[project]\ndependencies = ["attrs>=24", "no-such>=1"]\n')
    return {figure.name: figure for figure in measure(tree)}


def test_figures_of_a_small_tree(figures: dict[str, Figure]) -> None:
    values = {name: figure.value for name, figure in figures.items() if "size" not in name}
    assert values == {
        "files": 8,
        "lines": 50,
        "median module": 3,
        "longest module": 24,
        "modules with one importer": 3,
        "average fan-out": 0.4,
        "lines with Any": 2,
        "stored state by string": 3,
        "places that decide a delay": 4,
        "modules that decide a delay": 1,
        "stage names outside stages/": 2,
        "modules with stage names": 2,
        "class names defined more than once": 1,
        "module names used more than once": 1,
        "bindings that are filler words": 3,
        "private functions, %": 50.0,
        "private functions named once": 1,
        "direct dependencies": 2,
        "packages needed": 1,
    }


def test_places_say_what_was_counted(figures: dict[str, Figure]) -> None:
    delays = figures["places that decide a delay"].places
    assert [place.text for place in delays] == [
        "RETRY_SECONDS = 0.5",
        "first: float = 1.0",
        "event.wait(timeout=LONGEST)",
        "time.sleep(RETRY_SECONDS)",
    ]
    importers = {p.path: p.text for p in figures["modules with one importer"].places}
    assert importers["model.py"] == "imported by iqm_spec.stages.words"


def test_sizes_are_of_what_is_required(figures: dict[str, Figure]) -> None:
    needed = figures["installed size of these, MB"]
    assert [place.path for place in needed.places] == ["attrs"]
    assert 0 < needed.value < figures["installed size of the environment, MB"].value
    assert "not installed here: no-such" in figures["packages needed"].counts


def test_a_revision_stands_beside_the_tree() -> None:
    now, before = Figure("files", 3, "files"), Figure("files", 1234, "files")
    lines = table([now], [before], "v1").splitlines()
    assert lines[0] == "| figure | v1 | working tree |"
    assert lines[2] == "| files | 1,234 | 3 |"
