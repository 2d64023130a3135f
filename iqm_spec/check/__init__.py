"""What is wrong with a spec beyond its schema: axes, values, circuits, machines. All at once."""

from iqm_spec.check.checked import Checked, check
from iqm_spec.check.machines import built_in

__all__ = ["Checked", "built_in", "check"]
