"""All that is used of iqm-client and the packages that come with it, under one roof.

Names are imported when they are first asked for: that takes seconds. Where a version of iqm-client
has moved one, the error says which: `NAMES` and the imports below are the place to correct.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from iqm_spec.errors import JobFailed

if TYPE_CHECKING:
    from exa.common.errors.iqm_error import IQMError as IQMError
    from iqm.data_definitions.common.v1.setting_pb2 import SettingNode as SettingNode
    from iqm.iqm_client.models import CircuitCompilationOptions as CircuitCompilationOptions
    from iqm.iqm_client.models import validate_circuit as validate_circuit
    from iqm.iqm_client.validation import (
        validate_circuit_instructions as validate_circuit_instructions,
    )
    from iqm.iqm_client.validation import validate_qubit_mapping as validate_qubit_mapping
    from iqm.models.channel_properties import AWGProperties as AWGProperties
    from iqm.pulse import Circuit as Circuit
    from iqm.station_control.client.serializers.channel_property_serializer import (
        serialize_channel_properties as serialize_channel_properties,
    )
    from iqm.station_control.interface.models import (
        DynamicQuantumArchitecture as DynamicQuantumArchitecture,
    )
    from iqm.station_control.interface.models.circuit import PostJobsRequest as PostJobsRequest

NAMES = MappingProxyType(
    {
        "AWGProperties": "iqm.models.channel_properties",
        "Circuit": "iqm.pulse",
        "CircuitCompilationOptions": "iqm.iqm_client.models",
        "DynamicQuantumArchitecture": "iqm.station_control.interface.models",
        "IQMError": "exa.common.errors.iqm_error",
        "PostJobsRequest": "iqm.station_control.interface.models.circuit",
        "SettingNode": "iqm.data_definitions.common.v1.setting_pb2",
        "serialize_channel_properties": (
            "iqm.station_control.client.serializers.channel_property_serializer"
        ),
        "validate_circuit": "iqm.iqm_client.models",
        "validate_circuit_instructions": "iqm.iqm_client.validation",
        "validate_qubit_mapping": "iqm.iqm_client.validation",
    }
)
"""Every name that is used, with its module."""


def __getattr__(name: str) -> Any:
    """A name of `NAMES`, imported now; JobFailed where the installed iqm-client lacks it."""
    if name not in NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return globals().setdefault(name, getattr(import_module(NAMES[name]), name))
    except (ImportError, AttributeError) as error:
        from importlib.metadata import PackageNotFoundError, version

        try:
            installed = version("iqm-client")
        except PackageNotFoundError:
            installed = "(not installed)"
        raise JobFailed(
            f"iqm-client {installed} has no `{name}` in `{NAMES[name]}`",
            hint="install a version that iqm-spec is made for: `pip install 'iqm-client>=36,<37'`",
            code="failed.iqm_client",
        ) from error


def load() -> None:
    """Import every name now, so that nothing waits for it later."""
    for name in NAMES:
        __getattr__(name)


def missing() -> list[str]:
    """`module.name` of every name that the iqm-client that is installed does not have."""
    lost = []
    for name in NAMES:
        try:
            __getattr__(name)
        except JobFailed:
            lost.append(f"{NAMES[name]}.{name}")
    return lost
