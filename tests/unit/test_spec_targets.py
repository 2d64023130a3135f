"""Every form of a target that guides have taught, and what it means today."""

from __future__ import annotations

import pytest

from iqm_spec.model import Mode
from iqm_spec.spec.targets import TargetError, parse_target

OLD = "https://cocos.resonance.meetiqm.com"


@pytest.mark.parametrize(
    ("text", "alias", "mode", "mock"),
    [
        ("garnet", "garnet", None, False),
        ("garnet:mock", "garnet", None, True),
        ("garnet:timeslot", "garnet", Mode.TIMESLOT, False),
        (f"{OLD}/garnet", "garnet", None, False),
        (f"{OLD}/garnet/", "garnet", None, False),
        (f"{OLD}/garnet:timeslot", "garnet", Mode.TIMESLOT, False),
        (f"{OLD}/garnet:mock", "garnet", None, True),
        ("https://resonance.meetiqm.com/emerald", "emerald", None, False),
        ("https://resonance.iqm.tech:443/sirius:mock", "sirius", None, True),
        ("HTTPS://Resonance.IQM.tech/deneb", "deneb", None, False),
        ("my-machine_2.0", "my-machine_2.0", None, False),
    ],
)
def test_targets(text: str, alias: str, mode: Mode | None, mock: bool) -> None:
    ref = parse_target(text)
    assert (ref.alias, ref.mode, ref.mock) == (alias, mode, mock)
    assert (ref.notice == "") == (text == alias)


def test_a_notice_names_what_the_client_takes() -> None:
    assert parse_target(f"{OLD}/garnet:timeslot").notice == (
        f"target `{OLD}/garnet:timeslot` is read as `target: garnet` with `mode: timeslot`"
        ' (iqm-client: https://resonance.iqm.tech, quantum_computer="garnet", use_timeslot=True)'
    )
    assert 'quantum_computer="garnet:mock"' in parse_target("garnet:mock").notice


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not the alias"),
        (":mock", "not the alias"),
        ("garnet:", "no suffix"),
        ("garnet:mocks", "no suffix"),
        ("garnet:mock:timeslot", "no suffix"),
        ("garnet emerald", "not the alias"),
        ("https://example.org/garnet", "not a URL of IQM Resonance"),
        ("http://resonance.iqm.tech/garnet", "not a URL of IQM Resonance"),
        ("https://resonance.iqm.tech:8443/garnet", "not a URL of IQM Resonance"),
        ("https://resonance.iqm.tech.evil.org/garnet", "not a URL of IQM Resonance"),
        ("https://resonance.iqm.tech", "names no quantum computer"),
        ("https://resonance.iqm.tech/a/b", "more than"),
        ("https://resonance.iqm.tech/garnet?x=1", "more than"),
        ("https://me@resonance.iqm.tech/garnet", "more than"),
        ("https://[::1/garnet", "cannot be read"),
        ("https://resonance.iqm.tech:port/garnet", "cannot be read"),
        ("machines/garnet", "not a URL"),
    ],
)
def test_what_is_no_target(text: str, words: str) -> None:
    with pytest.raises(TargetError, match=words) as error:
        parse_target(text)
    assert error.value.hint
