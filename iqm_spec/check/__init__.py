"""What is wrong with a spec beyond its schema: axes, values, circuits, machines. All at once."""

from iqm_spec.check.checked import Checked, check, check_on
from iqm_spec.check.machines import BUILT_IN, MachineSource, beside_built_in, built_in

__all__ = [
    "BUILT_IN",
    "Checked",
    "MachineSource",
    "beside_built_in",
    "built_in",
    "check",
    "check_on",
]
