"""Writes iqm_spec/targets/data/*.json from the fake backends of the installed iqm-client.

python tools/make_target_data.py            # write
python tools/make_target_data.py --check    # exit 1 where a file differs
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "iqm_spec" / "targets" / "data"

READOUT_UNKNOWN = "Readout duration is not published: a measurement takes no time in the model."
IDLE = "Idle qubits do not relax: only gates and readout err, as in iqm-client's fake backends."
NO_CROSSTALK = "Errors are those of each gate alone: no crosstalk, no leakage, no drift."
NO_CONTROL = "No conditional gates and no reset: the fake backend has none calibrated."
CONTROL = (
    "Conditional gates (cc_prx) and reset on every qubit, as on the machine: the fake backend has "
    "none. A cc_prx that is played errs as a prx, a reset does not err."
)
COMMON = [READOUT_UNKNOWN, IDLE, NO_CROSSTALK]

ALIKE = "All qubits are alike, and MOVE errs by relaxation alone (its depolarizing parameter is 0)."
APHRODITE = (
    "Figures and couplings are those of IQM's 54-qubit Aphrodite (fake backend): none of Emerald "
    "itself are published there. Emerald is a 54-qubit square lattice too."
)
NO_SIRIUS = (
    "iqm-client has no fake backend of Sirius: each of 16 qubits and the resonator has Deneb's "
    "figures (T1, T2, gate errors, durations, readout)."
)
NAMES = (
    "The 16 qubits are named QB1 to QB16 and the resonator CR1; the machine itself has 24 qubits, "
    "of which 16 are offered, and its names come from its dynamic quantum architecture."
)


def make() -> dict[str, dict[str, Any]]:
    """The content of each data file, by alias."""
    from iqm.qiskit_iqm.fake_backends.fake_aphrodite import IQMFakeAphrodite
    from iqm.qiskit_iqm.fake_backends.fake_deneb import IQMFakeDeneb
    from iqm.qiskit_iqm.fake_backends.fake_garnet import IQMFakeGarnet

    deneb = IQMFakeDeneb()
    return {
        "garnet": _file("garnet", "IQMFakeGarnet", IQMFakeGarnet(), []),
        "emerald": _conditional(
            _file("emerald", "IQMFakeAphrodite", IQMFakeAphrodite(), [APHRODITE])
        ),
        "deneb": _file("deneb", "IQMFakeDeneb", deneb, [ALIKE]),
        "sirius": _sirius(_file("sirius", "IQMFakeDeneb", deneb, [NO_SIRIUS, NAMES, ALIKE]), 16),
    }


def _file(alias: str, name: str, backend: Any, assumptions: list[str]) -> dict[str, Any]:
    return {
        "format": "iqm-spec/target/1",
        "alias": alias,
        "source": f"{name} of iqm-client {version('iqm-client')}",
        "assumptions": [*assumptions, *COMMON, NO_CONTROL],
        "architecture": _architecture(backend.architecture),
        "error_profile": _profile(backend.error_profile),
    }


def _architecture(dqa: Any) -> dict[str, Any]:
    return {
        "qubits": list(dqa.qubits),
        "computational_resonators": list(dqa.computational_resonators),
        "gates": {name: [list(x) for x in info.loci] for name, info in sorted(dqa.gates.items())},
    }


def _profile(profile: Any) -> dict[str, Any]:
    one = profile.single_qubit_gate_depolarizing_error_parameters
    two = profile.two_qubit_gate_depolarizing_error_parameters
    return {
        "t1_ns": dict(profile.t1s),
        "t2_ns": dict(profile.t2s),
        "depolarizing": {
            **{gate: dict(errors) for gate, errors in one.items()},
            **{
                gate: {",".join(locus): error for locus, error in errors.items()}
                for gate, errors in two.items()
            },
        },
        "durations_ns": profile.single_qubit_gate_durations | profile.two_qubit_gate_durations,
        "readout": {qubit: dict(errors) for qubit, errors in profile.readout_errors.items()},
    }


def _conditional(file: dict[str, Any]) -> dict[str, Any]:
    """A machine whose every qubit has conditional gates and reset."""
    found = file["architecture"]
    loci = {gate: [[qubit] for qubit in found["qubits"]] for gate in ("cc_prx", "reset")}
    return file | {
        "assumptions": [CONTROL if text == NO_CONTROL else text for text in file["assumptions"]],
        "architecture": found | {"gates": dict(sorted((found["gates"] | loci).items()))},
    }


def _sirius(deneb: dict[str, Any], size: int) -> dict[str, Any]:
    """Deneb's figures of one qubit and of the resonator on a star of `size` qubits."""
    qubits = [f"QB{i}" for i in range(1, size + 1)]
    profile = deneb["error_profile"]

    def spread(values: dict[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in values.items() if name == "CR1"}
        first = next(key for key in values if key.startswith("QB1"))
        return kept | {first.replace("QB1", qubit): values[first] for qubit in qubits}

    gates = {
        name: [[part if part == "CR1" else qubit for part in loci[0]] for qubit in qubits]
        for name, loci in deneb["architecture"]["gates"].items()
    }
    return deneb | {
        "architecture": {"qubits": qubits, "computational_resonators": ["CR1"], "gates": gates},
        "error_profile": profile
        | {key: spread(profile[key]) for key in ("t1_ns", "t2_ns", "readout")}
        | {"depolarizing": {gate: spread(x) for gate, x in profile["depolarizing"].items()}},
    }


def text(content: dict[str, Any]) -> str:
    """Indented JSON in which short lists of names stay on one line."""
    import re

    lines = json.dumps(content, indent=1, ensure_ascii=False)
    flat = re.sub(r"\[\s+((?:\"[A-Z0-9]+\",?\s*)+)\]", lambda m: f"[{_joined(m[1])}]", lines)
    return flat + "\n"


def _joined(names: str) -> str:
    return " ".join(names.split())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for alias, content in make().items():
        path = DATA / f"{alias}.json"
        if check:
            if not path.exists() or path.read_text() != text(content):
                stale.append(path.name)
        else:
            path.write_text(text(content))
    if stale:
        print(f"differ from the installed iqm-client: {', '.join(stale)}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
