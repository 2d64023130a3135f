"""What a job gives: random bits on a mock, a noisy simulation on a machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from iqm_spec.emulator.jobs import Job
from iqm_spec.emulator.messages import Rejected
from iqm_spec.emulator.state import State
from iqm_spec.emulator.translate import Measured, translate
from iqm_spec.errors import IqmSpecError
from iqm_spec.json_types import Json

if TYPE_CHECKING:
    from numpy.random import Generator


def warm_up() -> None:
    """Import what simulating needs, so that the first job does not wait for it."""
    import qiskit_aer  # noqa: F401

    import iqm_spec.stages.aer  # noqa: F401


def outcome(job: Job, payload: bytes) -> dict[str, Json]:
    """`{"circuits": [{"keys", "sizes", "counts"}]}`, or `{"failure"}` where there is no result.

    In a bitstring of `counts` the keys stand one after the other, each with its qubits in the
    order of its measurement.
    """
    try:
        circuits = translate(payload, job.computer.architecture)
        kept = [_kept(job, item, number) for number, item in enumerate(circuits)]
        if not all(kept):
            number = kept.index(0)
            return _failure("no_shots_left", f"heralding left no shots of circuit {number}")
        counts = (
            _random(job, circuits, kept) if job.computer.is_mock else _noisy(job, circuits, kept)
        )
    except (IqmSpecError, Rejected) as error:
        return _failure("simulation_failed", f"the emulator cannot simulate this job: {error}")
    except MemoryError:
        return _failure("simulation_failed", "the emulator has not enough memory for this job")
    except Exception as error:  # noqa: BLE001 - a job that fails must not end the thread
        return _failure("internal_error", f"the emulator failed: {type(error).__name__}: {error}")
    return {
        "circuits": [
            {"keys": list(item.keys), "sizes": list(item.sizes), "counts": found}
            for item, found in zip(circuits, counts, strict=True)
        ]
    }


def _failure(error_code: str, message: str) -> dict[str, Json]:
    return {"failure": {"message": message, "error_code": error_code}}


def _kept(job: Job, item: Measured, number: int) -> int:
    """Shots that heralding leaves: those in which every qubit used was read as 0 before."""
    if not job.heralding:
        return job.shots
    chance = 1.0
    readout = job.computer.profile.readout
    for name in item.circuit.components:
        if name in readout:
            chance *= 0.5 if job.computer.is_mock else 1 - readout[name][0]
    return int(_generator(job, number, "heralding").binomial(job.shots, chance))


def _random(job: Job, circuits: Sequence[Measured], shots: Sequence[int]) -> list[dict[str, int]]:
    """Counts of bits that are 0 or 1 by chance."""
    import numpy as np

    found = []
    for number, (item, wanted) in enumerate(zip(circuits, shots, strict=True)):
        bits = _generator(job, number, "bits").integers(0, 2, (wanted, sum(item.sizes)), np.uint8)
        rows = (bits + ord("0")).astype(np.uint8)
        texts = [row.tobytes().decode() for row in rows]
        found.append(_tally(texts))
    return found


def _noisy(job: Job, circuits: Sequence[Measured], shots: Sequence[int]) -> list[dict[str, int]]:
    """Counts by Qiskit Aer under the machine's error profile."""
    from iqm_spec.stages.aer import AerTask, Setup, run_jobs

    tasks = [
        AerTask(str(number), item.circuit, wanted, _seed(job, number))
        for number, (item, wanted) in enumerate(zip(circuits, shots, strict=True))
    ]
    (done,) = run_jobs([(tasks, Setup(noise=job.computer.profile))])
    return [
        dict(sorted((in_key_order(text), n) for text, n in one.counts.items())) for one in done[1]
    ]


def in_key_order(text: str) -> str:
    """A bitstring as IQM's server prints it, from one as Qiskit does (last register first)."""
    return text.replace(" ", "")[::-1]


def _tally(texts: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for text in texts:
        found[text] = found.get(text, 0) + 1
    return dict(sorted(found.items()))


def counts_of(state: State, job: Job) -> Sequence[Mapping[str, Any]]:
    """The circuits of a job's outcome, once its result is there."""
    found: Sequence[Mapping[str, Any]] = state.read(f"jobs/{job.id}.counts.json")
    return found


def counts_artifact(circuits: Sequence[Mapping[str, Any]]) -> list[Json]:
    """The artifact `measurement_counts` of an outcome's circuits."""
    return [{"measurement_keys": item["keys"], "counts": item["counts"]} for item in circuits]


def measurements_artifact(job: Job, circuits: Sequence[Mapping[str, Any]]) -> list[Json]:
    """The artifact `measurements`: by key, shots x qubits; shots in an order that chance gave."""
    found: list[Json] = []
    for number, item in enumerate(circuits):
        texts = [text for text, n in item["counts"].items() for _ in range(n)]
        order = _generator(job, number, "order").permutation(len(texts))
        shots = [texts[i] for i in order]
        low, one = 0, {}
        for key, size in zip(item["keys"], item["sizes"], strict=True):
            one[key] = [[int(bit) for bit in text[low : low + size]] for text in shots]
            low += size
        found.append(one)
    return found


def _seed(job: Job, number: int, use: str = "shots") -> int:
    import hashlib

    text = f"{job.seed}/{number}/{use}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def _generator(job: Job, number: int, use: str) -> Generator:
    from numpy.random import PCG64, Generator

    return Generator(PCG64(_seed(job, number, use)))
