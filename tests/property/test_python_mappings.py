"""A spec given as a mapping says what a file would: any text stays that very text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iqm_spec.api.start import source_of
from iqm_spec.source import Source

WORDS = (
    *("y", "no", "on", "off", "null", "~", "010", "0x1F", "1_000", "1:30", "nan", "1e3", "- a"),
    *("\x85", "\u200b", "\xad é"),
)
SCALARS = st.one_of(
    st.sampled_from(WORDS),
    st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), max_size=12),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.booleans(),
)


def read(mapping: dict[str, object]) -> object:
    source = source_of(mapping, Path())
    assert isinstance(source, Source)
    return source.tree


@given(st.lists(SCALARS, max_size=6), SCALARS)
def test_a_mapping_is_read_as_it_was_given(listed: list[object], alone: object) -> None:
    assert read({"name": alone, "list": listed}) == {"name": alone, "list": listed}


@pytest.mark.parametrize("word", WORDS)
def test_words_that_yaml_might_take_for_something_else_are_texts(word: str) -> None:
    assert read({"name": word}) == {"name": word}
