"""The process that simulates: on stdin a job's id and its state directory, a line each.

Answers each with an empty line once the result is on the disk. Ends when stdin does.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iqm_spec.emulator.checks import MeasuredCircuit, translate
from iqm_spec.emulator.jobs import EmulatedJob, load
from iqm_spec.emulator.messages import ApiError
from iqm_spec.emulator.state import State, open_state
from iqm_spec.errors import IqmSpecError
from iqm_spec.json_types import Json

if TYPE_CHECKING:
    from numpy.random import Generator


def main() -> None:
    """Simulate each job that stdin names, until it is closed."""
    answers = os.dup(1)
    # whatever a library prints must not be taken for an answer
    os.dup2(2, 1)
    if sys.platform == "linux":
        # be killed when the parent ends: in a long simulation nothing else is noticed
        import ctypes
        import signal

        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    warm_up()
    for line in iter(sys.stdin.readline, ""):
        job_id = line.strip()
        state = open_state(Path(sys.stdin.readline().rstrip("\n")))
        result = outcome(load(state, job_id), state.read_bytes(f"jobs/{job_id}.payload") or b"")
        # counts first, then the small file that says that they are there
        state.write(f"jobs/{job_id}.counts.json", result.get("circuits"))
        summary = {"failure": result.get("failure"), "made": time.time()}
        state.write(f"jobs/{job_id}.result.json", summary)
        os.write(answers, b"\n")


def warm_up() -> None:
    """Import what simulating needs, so that the first job does not wait for it."""
    import qiskit_aer  # noqa: F401

    import iqm_spec.stages.aer  # noqa: F401


def outcome(job: EmulatedJob, payload: bytes) -> dict[str, Json]:
    """`{"circuits": [{"keys", "sizes", "counts"}]}`, or `{"failure"}` where there is no result.

    In a bitstring of `counts` the keys stand one after the other, each with its qubits in the
    order of its measurement.
    """
    try:
        circuits = translate(payload, job.computer.architecture)
        shots = [_shots_left(job, item, number) for number, item in enumerate(circuits)]
        if not all(shots):
            number = shots.index(0)
            return _failure("no_shots_left", f"heralding left no shots of circuit {number}")
        counts = (
            _random(job, circuits, shots) if job.computer.is_mock else _noisy(job, circuits, shots)
        )
    except (IqmSpecError, ApiError) as error:
        return _failure("simulation_failed", f"the emulator cannot simulate this job: {error}")
    except MemoryError:
        return _failure("simulation_failed", "the emulator has not enough memory for this job")
    except Exception as error:  # noqa: BLE001 - a job that fails must not end the thread
        return _failure("internal_error", f"the emulator failed: {type(error).__name__}: {error}")
    return {
        "circuits": [
            {"keys": list(item.keys), "sizes": list(item.sizes), "counts": tally}
            for item, tally in zip(circuits, counts, strict=True)
        ]
    }


def _failure(error_code: str, message: str) -> dict[str, Json]:
    return {"failure": {"message": message, "error_code": error_code}}


def _shots_left(job: EmulatedJob, item: MeasuredCircuit, number: int) -> int:
    """Shots that heralding leaves: those in which every qubit used was read as 0 before."""
    if not job.heralding:
        return job.shots
    chance = 1.0
    readout = job.profile.readout
    for name in item.circuit.components:
        if name in readout:
            chance *= 0.5 if job.computer.is_mock else 1 - readout[name][0]
    return int(_generator(job, number, "heralding").binomial(job.shots, chance))


def _random(
    job: EmulatedJob, circuits: Sequence[MeasuredCircuit], shots: Sequence[int]
) -> list[dict[str, int]]:
    """Counts of bits that are 0 or 1 by chance."""
    import numpy as np

    tallies = []
    for number, (item, shots_kept) in enumerate(zip(circuits, shots, strict=True)):
        shape = shots_kept, sum(item.sizes)
        bits = _generator(job, number, "bits").integers(0, 2, shape, np.uint8)
        rows = (bits + ord("0")).astype(np.uint8)
        texts = [row.tobytes().decode() for row in rows]
        tallies.append(dict(sorted(Counter(texts).items())))
    return tallies


def _noisy(
    job: EmulatedJob, circuits: Sequence[MeasuredCircuit], shots: Sequence[int]
) -> list[dict[str, int]]:
    """Counts by Qiskit Aer under the error profile of the job's calibration set."""
    from iqm_spec.stages.aer import AerTask, Setup, run_jobs

    tasks = [
        AerTask(str(number), item.circuit, shots_kept, _seed(job, number))
        for number, (item, shots_kept) in enumerate(zip(circuits, shots, strict=True))
    ]
    (done,) = run_jobs([(tasks, Setup(noise=job.profile))])
    return [
        dict(sorted((in_key_order(text), n) for text, n in outcome.counts.items()))
        for outcome in done[1]
    ]


def in_key_order(text: str) -> str:
    """A bitstring as IQM's server prints it, from one as Qiskit does (last register first)."""
    return text.replace(" ", "")[::-1]


def counts_of(state: State, job: EmulatedJob) -> Sequence[Mapping[str, Any]]:
    """The circuits of a job's outcome, once its result is there."""
    circuits: Sequence[Mapping[str, Any]] = state.read(f"jobs/{job.id}.counts.json")
    return circuits


def counts_artifact(circuits: Sequence[Mapping[str, Any]]) -> list[Json]:
    """The artifact `measurement_counts` of an outcome's circuits."""
    return [{"measurement_keys": item["keys"], "counts": item["counts"]} for item in circuits]


def measurements_artifact(job: EmulatedJob, circuits: Sequence[Mapping[str, Any]]) -> list[Json]:
    """The artifact `measurements`: by key, shots x qubits; shots in an order that chance gave."""
    artifact: list[Json] = []
    for number, item in enumerate(circuits):
        texts = [text for text, n in item["counts"].items() for _ in range(n)]
        order = _generator(job, number, "order").permutation(len(texts))
        shots = [texts[i] for i in order]
        low, bits_by_key = 0, {}
        for key, size in zip(item["keys"], item["sizes"], strict=True):
            bits_by_key[key] = [[int(bit) for bit in text[low : low + size]] for text in shots]
            low += size
        artifact.append(bits_by_key)
    return artifact


def _seed(job: EmulatedJob, number: int, use: str = "shots") -> int:
    import hashlib

    text = f"{job.seed}/{number}/{use}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def _generator(job: EmulatedJob, number: int, use: str) -> Generator:
    from numpy.random import PCG64, Generator

    return Generator(PCG64(_seed(job, number, use)))


if __name__ == "__main__":
    main()
