"""Which scripts are run with which environment, and what the emulator is told for them."""

from collections.abc import Mapping

from attrs import frozen


@frozen
class Case:
    """A script of `clients/`, the environment whose Python runs it, and arguments after the URL."""

    environment: str
    script: str
    arguments: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What `--only` asks for."""
        return f"{self.environment}/{self.script}"


DUT_LABELS: Mapping[str, str] = {"garnet:mock": "M153_W0_P06_Z99", "deneb:mock": "M139_W0_N60_Z99"}
"""The chips that facade backends of iqm-client look for."""

FACADES = ("garnet:mock", "facade_garnet", "deneb:mock", "facade_deneb")
"""Computers and the facade backends that take them for theirs."""
CLIENTS = ("iqm34", "iqm35", "iqm36")
"""Environments of three versions of iqm-client."""

CASES = (
    *(Case(client, "run_qiskit") for client in CLIENTS),
    *(Case(client, "run_facade", FACADES) for client in CLIENTS),
    *(Case(client, "run_cirq") for client in CLIENTS),
    Case("iqm34", "run_pennylane"),
    Case("iqm36", "run_selector"),
    Case("iqm36", "run_benchmarks"),
    Case("iqm36", "run_qaoa"),
    Case("qdmi", "run_qdmi"),
    Case("qrisp", "run_qrisp"),
    Case("qrisp", "run_error_reduction"),
)
