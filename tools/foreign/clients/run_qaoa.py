"""iqm-qaoa: train QAOA on a small MaxCut here, sample it from the server."""

from iqm.applications.maxcut import maxcut_generator
from iqm.qaoa.backends import EstimatorFromSampler, SamplerResonance
from iqm.qaoa.qubo_qaoa import QUBOQAOA

from tools.foreign.clients.told import TOKEN, check, tell

NODES, SHOTS = 5, 4000


def work(url: str) -> list[str]:
    problem = next(maxcut_generator(NODES, 1, seed=5, enforce_connected=True))
    qaoa = QUBOQAOA(problem, num_layers=1, initial_angles=[0.2, 0.2])
    qaoa.train()
    sampler = SamplerResonance(TOKEN, server_url=url, quantum_computer="garnet")
    samples = qaoa.sample(sampler, SHOTS)
    check(sum(samples.values()) == SHOTS, f"{sum(samples.values())} of {SHOTS} shots came back")
    mean = sum(problem.quality(cut) * number for cut, number in samples.items()) / SHOTS
    random, best = problem.average_quality, problem.best_quality
    share = (mean - random) / (best - random)
    check(share > 0.2, f"samples average {mean:.2f}; random ones {random:.2f}, the best {best:.2f}")
    energy = qaoa.estimate(EstimatorFromSampler(sampler, SHOTS))
    return [f"MaxCut of {NODES} nodes, {share:.0%} of the way to the best", f"energy {energy:.2f}"]


if __name__ == "__main__":
    tell("iqm-qaoa", work)
