"""What ran it: versions and platform, an object of its own. No host, no path, no user."""

from __future__ import annotations

from iqm_spec.store.objects import Environment, Platform
from iqm_spec.version import __version__

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
