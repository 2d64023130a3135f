"""A circuit taken apart and put together again is the same circuit, and its digest too."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iqm_spec.canonical import canonical
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.native import Native, Template

angles = st.one_of(
    st.floats(-7, 7),
    st.sampled_from([0.0, -0.0, 1.0, -3.0, 1e-7, 1e-5, 1.5707963267948966, 5e-324]),
)
ops = st.one_of(
    st.builds(lambda q, theta, phi: Op("r", (q,), (theta, phi)), st.integers(0, 2), angles, angles),
    st.builds(lambda q: Op("delay", (q,), (1e-6,)), st.integers(0, 2)),
    st.just(Op("cz", (0, 1))),
    st.just(Op("measure", (2,), (), (0,))),
)
names = st.sampled_from(["c", "@", "@@", '"@"', "\\", "ü"])


@given(st.lists(ops, max_size=12), names)
def test_apart_and_together_again(given_ops: list[Op], register: str) -> None:
    circuit = NativeCircuit(("QB1", "QB2", "@"), ((register, 1),), tuple(given_ops))
    native = Native.of(circuit)
    assert native.circuit() == circuit
    assert native.digest == circuit.digest
    stored = json.loads(canonical(native.template.to_json()))
    again = Template.from_json(stored)
    assert again == native.template
    assert hash(again) == hash(native.template)
    assert again.with_angles(native.angles).digest == circuit.digest
    assert native.template.summary.gates == circuit.counts()
    assert native.template.summary.depth == circuit.depth()


def test_angles_must_fit() -> None:
    template, given_angles = Template.of(NativeCircuit(("Q",), (), (Op("r", (0,), (1.0, 0.5)),)))
    assert given_angles == (1.0, 0.5)
    for wrong in ((), (1.0,), (1.0, 0.5, 2.0)):
        with pytest.raises(ValueError, match="2 angles"):
            template.with_angles(wrong)
        with pytest.raises(ValueError, match=r"shorter|longer"):
            template.digest_of(wrong)
