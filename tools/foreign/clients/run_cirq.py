"""Cirq on IQM: route, decompose and sample."""

import cirq
from iqm.cirq_iqm.iqm_sampler import IQMSampler
from iqm.cirq_iqm.optimizers import simplify_circuit

from tools.foreign.clients.told import TOKEN, check, check_ghz, tell

SHOTS = 4000


def work(url: str) -> list[str]:
    sampler = IQMSampler(url, quantum_computer="garnet", token=TOKEN)
    names = [cirq.NamedQubit(name) for name in ("a", "b", "c")]
    circuit = cirq.Circuit(
        cirq.H(names[0]),
        cirq.CX(names[0], names[1]),
        cirq.CX(names[1], names[2]),
        cirq.measure(*names, key="m"),
    )
    routed, _, _ = sampler.device.route_circuit(circuit)
    native = simplify_circuit(sampler.device.decompose_circuit(routed))
    result = sampler.run(native, repetitions=SHOTS)
    found = result.histogram(key="m")
    counts = {f"{outcome:03b}": number for outcome, number in found.items()}
    share = check_ghz(counts, 3, SHOTS)
    batch = sampler.run_iqm_batch([native, native], repetitions=50)
    check([len(item.measurements["m"]) for item in batch] == [50, 50], "a batch lost shots")
    return [f"GHZ(3) sampled on garnet ({share:.2f} right)", "batch of 2"]


if __name__ == "__main__":
    tell("iqm-client", work)
