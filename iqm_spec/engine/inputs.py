"""The inputs of a run beside its spec: machines, noise, circuit files. Stored with the run.

With them the folder alone is enough to make the plan again and repeat the Aer stage.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from iqm_spec.errors import StoreCorrupt
from iqm_spec.spec.check import CheckedSpec
from iqm_spec.store import Store
from iqm_spec.store.objects import Environment, Platform, StoredInputs
from iqm_spec.targets import (
    Architecture,
    ErrorProfile,
    architecture_from_json,
    error_profile_from_json,
)
from iqm_spec.version import __version__


@frozen
class Inputs:
    """Machines and noise by alias (None is ideal), and the digests of circuit files by path."""

    architectures: Mapping[str, Architecture]
    profiles: Mapping[str, ErrorProfile | None]
    files: Mapping[str, str]


def keep_inputs(store: Store, checked: CheckedSpec) -> str:
    """Stores the inputs of a spec's run; returns the object's digest."""
    return store.put(
        StoredInputs(
            architectures={alias: machine.to_json() for alias, machine in checked.machines.items()},
            profiles={
                alias: None if profile is None else profile.to_json()
                for alias, profile in checked.profiles.items()
            },
            files={path: store.put_file(data) for path, data in sorted(checked.files.items())},
        )
    )


def read_inputs(store: Store, digest: str) -> Inputs:
    """The inputs that `keep_inputs` stored; StoreCorrupt where the object is something else."""
    stored = store.get(digest, StoredInputs)
    try:
        return Inputs(
            architectures={
                alias: architecture_from_json(data, alias)
                for alias, data in stored.architectures.items()
            },
            profiles={
                alias: None if data is None else error_profile_from_json(data)
                for alias, data in stored.profiles.items()
            },
            files=stored.files,
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise StoreCorrupt(
            f"the object {digest} holds no inputs of a run: {error}",
            hint="`iqm-spec verify` reports what else is wrong",
        ) from error


PACKAGES = ("numpy", "qiskit", "qiskit-aer", "iqm-client")


def environment() -> Environment:
    """Versions of Python, this program and what it computes with, and the kind of machine."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    versions: dict[str, str | None] = {"iqm-spec": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    machine = Platform(machine=platform.machine(), system=platform.system())
    return Environment(versions, machine)
