"""The table of methods, what is refused, and the memory at hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from iqm_spec.errors import ExitCode, Refused
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.native import Native
from iqm_spec.stages.aer import choose_method
from iqm_spec.stages.aer.free_memory import available_memory, room_in_group
from iqm_spec.stages.aer.method import format_bytes


def chain(width: int, *, layers: int = 1, clifford: bool = True) -> Native:
    """Layers of rotations and of cz between neighbours, then all measured."""
    angle = 1.5707963267948966 if clifford else 0.3
    ops: list[Op] = []
    for _ in range(layers):
        ops += [Op("r", (q,), (angle, 0.0)) for q in range(width)]
        ops += [Op("cz", (q, q + 1)) for q in range(width - 1)]
    ops += [Op("measure", (q,), (), (q,)) for q in range(width)]
    names = tuple(f"QB{q + 1}" for q in range(width))
    return Native.of(NativeCircuit(names, (("c", width),), tuple(ops)))


@pytest.mark.parametrize(
    ("width", "layers", "clifford", "noisy", "shots", "method", "exact"),
    [
        (2, 1, True, False, 1000, "statevector", True),
        (20, 9, False, False, 1000, "statevector", True),
        (21, 1, True, False, 1000, "stabilizer", True),
        (500, 1, True, False, 1000, "stabilizer", True),
        (50, 2, False, False, 1000, "matrix_product_state", False),
        (24, 30, False, False, 1000, "statevector", True),
        (27, 30, False, False, 1000, "statevector", False),
        (54, 30, False, False, 1000, "matrix_product_state", False),
        (2, 1, True, True, 10, "density_matrix", True),
        (10, 9, False, True, 10, "density_matrix", True),
        (11, 9, False, True, 1000, "statevector", False),
        (11, 9, False, True, 4096, "density_matrix", True),
        (12, 9, False, True, 8191, "statevector", False),
        (12, 9, False, True, 8192, "density_matrix", True),
        (13, 20, False, True, 100_000, "statevector", False),
        (14, 1, False, True, 1000, "matrix_product_state", False),
        (50, 1, True, True, 1000, "matrix_product_state", False),
    ],
)
def test_the_method_is_chosen_by_the_circuit(
    width: int, layers: int, clifford: bool, noisy: bool, shots: int, method: str, exact: bool
) -> None:
    choice = choose_method(chain(width, layers=layers, clifford=clifford), shots, noisy)
    assert (choice.method, choice.exact) == (method, exact), choice.why


@pytest.mark.parametrize("noisy", [False, True])
def test_measured_midway_nothing_is_exact(noisy: bool) -> None:
    circuit = chain(3).circuit()
    midway = evolve(circuit, ops=(*circuit.ops, Op("r", (0,), (1.0, 0.0))))
    choice = choose_method(Native.of(midway), 1000, noisy)
    assert (choice.method, choice.exact) == ("statevector", False)


@pytest.mark.parametrize(
    ("circuit", "noisy", "words"),
    [(chain(3, clifford=False), False, "Clifford"), (chain(3), True, "noise")],
)
def test_what_the_stabilizer_method_cannot_do(circuit: Native, noisy: bool, words: str) -> None:
    with pytest.raises(Refused, match=words) as caught:
        choose_method(circuit, 100, noisy, "stabilizer")
    assert caught.value.code == "refused.aer"


def test_too_little_memory_refuses_before_anything_is_computed() -> None:
    with pytest.raises(Refused) as caught:
        choose_method(chain(54, clifford=False), 1000, True, "statevector", 2**34)
    assert caught.value.code == "refused.memory"
    assert caught.value.exit_code == ExitCode.REFUSED
    assert caught.value.message == (
        "a circuit on 54 components needs 256 PiB of memory by the method statevector; "
        "16 GiB are at hand"
    )
    assert "matrix_product_state" in caught.value.hint


def test_memory_never_moves_the_choice() -> None:
    """Else the same spec would get other counts on another machine."""
    wide = chain(24, layers=30, clifford=False)
    assert choose_method(wide, 100, False, memory_bytes=2**40).method == "statevector"
    with pytest.raises(Refused, match="by the method statevector"):
        choose_method(wide, 100, False, memory_bytes=2**20)


def test_many_shots_need_memory_too() -> None:
    with pytest.raises(Refused, match="GiB"):
        choose_method(chain(2), 10**9, True, memory_bytes=2**34)


def test_memory_at_hand_is_plausible() -> None:
    assert 2**26 < available_memory() < 2**50


def test_a_control_group_limits_memory(tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "outer" / "memory.max").write_text("1000\n")
    (tmp_path / "outer" / "memory.current").write_text("900\n")
    (tmp_path / "outer" / "memory.stat").write_text("anon 500\ninactive_file 300\n")
    (inner / "memory.max").write_text("max\n")
    (inner / "memory.current").write_text("800\n")
    names = ("memory.max", "memory.current", "inactive_file")
    assert list(room_in_group(tmp_path, "/outer/inner", *names)) == [400]
    assert list(room_in_group(tmp_path, "/elsewhere", *names)) == []


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (3 * 2**29, "1.5 GiB"), (2**90, "1024 YiB")],
)
def test_sizes_in_words(size: int, words: str) -> None:
    assert format_bytes(size) == words
