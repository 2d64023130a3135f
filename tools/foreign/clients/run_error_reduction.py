"""iqm-error-reduction-tools: circuits twirled by it, run as circuits, and put together again.

Its own submissions are compiled to pulses, which the emulator does not run: the twirled circuits
are taken from it and sent here, which is a way of use that it describes.
"""

from iqm.error_reduction_tools.twirling.twirling_api import CircuitTwirler, TwirlingConfiguration
from iqm.error_reduction_tools.twirling.twirling_processors import untwirl_and_sum_counts
from iqm.qiskit_iqm import IQMProvider
from qiskit import QuantumCircuit, transpile

from tools.foreign.clients.told import TOKEN, check, check_ghz, tell

SHOTS, INSTANCES = 400, 8


def work(url: str) -> list[str]:
    backend = IQMProvider(url, quantum_computer="garnet", token=TOKEN).get_backend()
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.measure_all()
    native = transpile(circuit, backend, optimization_level=3, seed_transpiler=1)
    done = []
    for strategy in ("LOCAL", "MINIMAL"):
        configuration = TwirlingConfiguration(
            readout_twirl_strategy=strategy, num_twirling_instances=INSTANCES, seed=7
        )
        twirler = CircuitTwirler(backend.client, configuration)
        twirler.twirl([backend.serialize_circuit(native)])
        check(twirler.readout_twirling_applied, f"{strategy}: readout was not twirled")
        job = backend.client.submit_circuits(twirler.get_twirled_circuits_flat(), shots=SHOTS)
        job.wait_for_completion()
        counts = [dict(item.counts) for item in job.result_counts()]
        found = untwirl_and_sum_counts(counts, twirler.get_rot_strings()[0])
        check_ghz({key: round(number) for key, number in found.items()}, 3, SHOTS * INSTANCES)
        done.append(f"{INSTANCES} twirled circuits ({strategy})")
    return done


if __name__ == "__main__":
    tell("iqm-error-reduction-tools", work)
