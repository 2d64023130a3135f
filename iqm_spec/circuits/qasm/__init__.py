"""OpenQASM 2 and 3: any bytes to facts or problems, and to a circuit where there are none."""

from iqm_spec.circuits.qasm.inspect import circuit_of_qasm, inspect_qasm, scan_inputs
from iqm_spec.circuits.qasm.problem import QasmProblem

__all__ = ["QasmProblem", "circuit_of_qasm", "inspect_qasm", "scan_inputs"]
