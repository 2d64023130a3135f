"""docs/generators.md is what the registry says."""

from __future__ import annotations

import json
import re

from iqm_spec.circuits import find_generator
from tools.make_generators import PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run python -m tools.make_generators"


def test_its_examples_are_sound() -> None:
    examples = re.findall(r"- generator: (\w+)\n  args: (\{.*\})", PAGE.read_text())
    assert len(examples) >= 13
    for name, args in examples:
        assert find_generator(name).check(json.loads(args)) == []
