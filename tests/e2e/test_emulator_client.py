"""IQM's own client, unchanged, against the emulator: so that other people's code can be tested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import requests

from iqm_spec.emulator import Emulator, Options
from iqm_spec.emulator.computers import ON_EVERY_QUBIT, computers, couplings
from tests.emulators import start

if TYPE_CHECKING:
    from iqm.iqm_client.iqm_client import IQMClient

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*deprecated.*:DeprecationWarning"),
]


def client(emulator: Emulator, alias: str = "garnet") -> IQMClient:
    from iqm.iqm_client.iqm_client import IQMClient

    return IQMClient.from_url(emulator.url, quantum_computer=alias, token="any")


def flip(machine: str = "garnet") -> Any:
    from iqm.pulse import Circuit, CircuitOperation

    prx = CircuitOperation("prx", ("QB1",), args={"angle": 3.141592653589793, "phase": 0.0})
    measure = CircuitOperation("measure", ("QB1", "QB2"), args={"key": "m"})
    return Circuit("flip", (prx, measure))


@pytest.mark.parametrize("alias", ["garnet", "garnet:mock", "sirius"])
def test_qiskit_on_iqm_runs_and_fetches(emulator: Emulator, alias: str) -> None:
    from iqm.qiskit_iqm import IQMProvider, transpile_to_IQM
    from qiskit import QuantumCircuit

    provider = IQMProvider(emulator.url, quantum_computer=alias, token="any")
    backend = provider.get_backend(use_metrics=alias == "garnet")
    assert backend.num_qubits == {"garnet": 20, "sirius": 16}[alias.split(":")[0]]
    ghz = QuantumCircuit(3)
    ghz.h(0)
    ghz.cx(0, 1)
    ghz.cx(1, 2)
    ghz.measure_all()
    native = transpile_to_IQM(ghz, backend)
    job = backend.run([native, native], shots=400)
    counts = job.result().get_counts()
    assert [sum(one.values()) for one in counts] == [400, 400]
    if alias.endswith(":mock"):
        assert len(counts[0]) == 8
    else:
        assert counts[0].get("000", 0) + counts[0].get("111", 0) > 300
    again = provider.get_backend().retrieve_job(job.job_id())
    assert again.result().get_counts() == counts
    assert again.result().success


def test_a_wrong_alias_lists_those_that_are_there(emulator: Emulator) -> None:
    from iqm.station_control.client.authentication import ClientConfigurationError

    with pytest.raises(ClientConfigurationError, match="garnet:mock"):
        client(emulator, "pyrite")


def test_the_client_submits_waits_and_fetches(emulator: Emulator) -> None:
    iqm = client(emulator)
    assert iqm.get_health()["healthy"] is True
    assert len(iqm.get_static_quantum_architecture().qubits) == 20
    dynamic = iqm.get_dynamic_quantum_architecture()
    pinned = iqm.get_dynamic_quantum_architecture(dynamic.calibration_set_id)
    assert pinned.gates.keys() == {"cz", "measure", "prx", *ON_EVERY_QUBIT}
    job = iqm.submit_circuits([flip()], shots=30, calibration_set_id=dynamic.calibration_set_id)
    assert str(job.wait_for_completion()) == "completed"
    (counts,) = iqm.get_job_measurement_counts(job.job_id)
    assert sum(counts.counts.values()) == 30
    (measured,) = iqm.get_job_measurements(job.job_id)
    assert len(measured["m"]) == 30
    (line,) = [one for one in emulator.submissions() if one["job"] == str(job.job_id)]
    assert (line["alias"], line["use_timeslot"]) == ("garnet", False)
    compilation = iqm._executor.get_job(job.job_id).compilation
    assert compilation is not None
    assert compilation.calibration_set_id == dynamic.calibration_set_id
    payload: Any = iqm._executor.get_job_payload(job.job_id, "circuit")
    assert payload.shots == 30
    assert payload.circuits[0].name == "flip"


def test_a_job_is_cancelled_once(emulator: Emulator) -> None:
    from exa.common.errors.iqm_error import ForbiddenError

    emulator.faults([{"fault": "job-stuck", "on": "submit"}])
    iqm = client(emulator, "garnet:mock")
    job = iqm.submit_circuits([flip()], shots=5)
    assert str(iqm._executor.get_job(job.job_id).status) == "waiting"
    iqm.cancel_job(job.job_id)
    assert str(iqm._executor.get_job(job.job_id).status) == "cancelled"
    with pytest.raises(ForbiddenError, match="cannot be cancelled"):
        iqm.cancel_job(job.job_id)
    iqm.delete_job(job.job_id)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ({"fault": "status", "status": 401, "error_code": "unauthorized"}, "AuthenticationError"),
        ({"fault": "status", "status": 403, "error_code": "not_enough_credits"}, "ForbiddenError"),
        ({"fault": "status", "status": 404, "error_code": "not_found"}, "NotFoundError"),
        ({"fault": "status", "status": 413, "error_code": "too_large"}, "DataSizeError"),
        ({"fault": "status", "status": 422, "error_code": "validation"}, "ValidationError"),
        ({"fault": "status", "status": 429, "error_code": "rate"}, "RateLimitError"),
        ({"fault": "status", "status": 502, "body": "<html>"}, "BadGatewayError"),
        ({"fault": "status", "status": 503, "body": ""}, "SystemUnavailableError"),
        ({"fault": "status", "status": 500, "body": {}}, "ValidationError"),
        ({"fault": "status", "status": 520, "body": "<html>"}, "ValueError"),
        ({"fault": "drop-before"}, "ConnectionError"),
        ({"fault": "drop-after"}, "ConnectionError"),
        ({"fault": "half-answer"}, "ChunkedEncodingError"),
        ({"fault": "garbage"}, "ValidationError"),
        ({"fault": "rewrite", "set": {"errors": None}}, "ValidationError"),
        ({"fault": "rewrite", "set": {"status": "new"}}, "ValidationError"),
    ],
)
def test_faults_reach_the_client_as_it_tells_them(
    emulator: Emulator, rule: dict[str, Any], name: str
) -> None:
    iqm = client(emulator, "garnet:mock")
    emulator.faults([{"on": "submit", **rule}])
    with pytest.raises(Exception) as error:
        iqm.submit_circuits([flip()], shots=5)
    assert type(error.value).__name__ == name
    job = iqm.submit_circuits([flip()], shots=5)
    assert isinstance(job.job_id, UUID)


def test_a_failed_job_tells_the_servers_reason(emulator: Emulator) -> None:
    emulator.faults([{"fault": "job-failed", "on": "submit", "message": "the fridge is warm"}])
    iqm = client(emulator)
    job = iqm.submit_circuits([flip()], shots=5)
    assert str(job.wait_for_completion()) == "failed"
    (error,) = iqm._executor.get_job(job.job_id).errors
    assert error.message == "the fridge is warm"


def test_on_premises_works_as_well() -> None:
    with start(Options(speed=1e4, on_premises="deneb")) as running:
        iqm = client(running, "default")
        job = iqm.submit_circuits([flip()], shots=20)
        assert str(job.wait_for_completion()) == "completed"
        assert iqm.quantum_computer_name == "Emulated IQM Deneb"


@pytest.mark.parametrize("alias", ["garnet", "deneb"])
def test_what_iqm_client_asks_of_a_chip(emulator: Emulator, alias: str) -> None:
    from exa.common.qcm_data.chip_topology import ChipTopology

    iqm = client(emulator, alias)
    executor = iqm._executor
    machine = computers()[alias]
    assert executor.get_dut_label() == machine.dut_label
    topology = ChipTopology.from_chip_design_record(executor.get_chip_design_record())
    assert set(topology.qubits) == set(machine.architecture.qubits)
    assert len(topology.couplers) == len(couplings(machine.architecture))
    assert len(executor.get_channel_properties()) == len(machine.architecture.qubits)
    assert len(executor.get_settings().children) == 0
    about = executor.client.get_about()
    assert "iqm-station-control" in about["about_station"]["software_versions"]
    assert iqm.get_feedback_groups() == (frozenset(machine.architecture.qubits),)


def test_a_chip_can_have_the_label_that_a_facade_looks_for() -> None:
    from iqm.qiskit_iqm import IQMProvider, transpile_to_IQM
    from qiskit import QuantumCircuit

    labels = {"garnet": "M153_W0_P06_Z99", "deneb:mock": "M139_W0_N60_Z99"}
    with start(Options(speed=1e4, dut_labels=labels)) as running:
        for alias, facade in (("garnet", "facade_garnet"), ("deneb:mock", "facade_deneb")):
            provider = IQMProvider(running.url, quantum_computer=alias, token="any")
            backend = provider.get_backend(facade)
            bell = QuantumCircuit(2)
            bell.h(0)
            bell.cx(0, 1)
            bell.measure_all()
            counts = backend.run(transpile_to_IQM(bell, backend), shots=200).result().get_counts()
            assert counts.get("00", 0) + counts.get("11", 0) > 150


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("timeout_seconds=0", 200),
        ("timeout_seconds=31", 400),
        ("timeout_seconds=-1", 400),
        ("timeout_seconds=soon", 400),
    ],
)
def test_a_long_poll_waits_for_thirty_seconds_at_most(
    emulator: Emulator, query: str, status: int
) -> None:
    headers = {"Authorization": "Bearer any"}
    api = f"{emulator.url}/api/v1"
    body = {
        "circuits": [
            {
                "name": "m",
                "instructions": [{"name": "measure", "locus": ["QB1"], "args": {"key": "m"}}],
            }
        ],
        "shots": 1,
    }
    job = requests.post(f"{api}/jobs/garnet/circuit", json=body, headers=headers).json()["id"]
    url = f"{api}/jobs/{job}?wait_until_terminal=true&{query}"
    assert requests.get(url, headers=headers).status_code == status
    payload = requests.get(f"{api}/jobs/{job}/payload", headers=headers)
    assert payload.headers["IQM-Job-Type"] == "circuit"
    assert payload.json() == body
