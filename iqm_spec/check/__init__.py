"""What is wrong with a spec beyond its schema: axes, values, circuits, machines. All at once."""

from iqm_spec.check.checked import Checked, check

__all__ = ["Checked", "check"]
