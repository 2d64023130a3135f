"""Error profiles whose figures differ from place to place as those of real machines do."""

from __future__ import annotations

import random
from math import exp

from attrs import evolve

from iqm_spec.targets import ErrorProfile


def uneven(profile: ErrorProfile, seed: int, spread: float = 0.5) -> ErrorProfile:
    """The profile with each figure times exp(spread * normal), within what is physical."""
    rng = random.Random(seed)

    def factor() -> float:
        return exp(rng.gauss(0, spread))

    t1 = {name: time * factor() for name, time in profile.t1.items()}
    return evolve(
        profile,
        t1=t1,
        t2={name: min(2 * t1[name], time * factor()) for name, time in profile.t2.items()},
        depolarizing={
            gate: {locus: min(0.5, error * factor()) for locus, error in errors.items()}
            for gate, errors in profile.depolarizing.items()
        },
        readout={
            name: (min(0.4, up * factor()), min(0.4, down * factor()))
            for name, (up, down) in profile.readout.items()
        },
        source=f"{profile.source}, made uneven (spread {spread}, seed {seed})",
    )
