"""The timing tables of three IQM machines that are public, and models of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from iqm_spec.cost.tables import JobTable, read_timings

if TYPE_CHECKING:
    from iqm_spec.cost.model import TimeModel

MACHINES = {"Aalto Q20": "aaltoq20.csv", "Helmi": "helmi.csv", "VTT Q50": "vtt-q50.csv"}
"""Measured by FiQCI (github.com/FiQCI/resource-estimator, MIT licence)."""

_DATA = Path(__file__).parent / "data"


def measured_table(machine: str) -> JobTable:
    """The table of one of `MACHINES`."""
    return read_timings(_DATA / MACHINES[machine])


def measured_machines() -> dict[str, TimeModel]:
    """A model for each machine, fitted here and now: takes some seconds."""
    from iqm_spec.cost.accuracy import checked_fit

    return {
        machine: checked_fit(
            measured_table(machine).timings, {"source": f"FiQCI resource-estimator, {file}"}
        )
        for machine, file in MACHINES.items()
    }
