"""Names of qiskit's classes that a QPY file may have called: gates whose size is their own."""

from __future__ import annotations

_NAMES = """
    Barrier Delay Measure Reset BoxOp BreakLoopOp ContinueLoopOp ForLoopOp IfElseOp SwitchCaseOp
    WhileLoopOp C3SXGate C3XGate C4XGate CCXGate CCZGate CHGate CPhaseGate CRXGate CRYGate
    CRZGate CSGate CSXGate CSdgGate CSwapGate CU1Gate CU3Gate CUGate CXGate CYGate CZGate
    DCXGate ECRGate GlobalPhaseGate HGate IGate MCPhaseGate MCXGate PhaseGate RC3XGate RCCXGate
    RGate RVGate RXGate RXXGate RYGate RYYGate RZGate RZXGate RZZGate SGate SXGate SXdgGate
    SdgGate SwapGate TGate TdgGate U1Gate U2Gate U3Gate UGate XGate XXMinusYYGate XXPlusYYGate
    YGate ZGate iSwapGate Initialize StatePreparation UnitaryGate DiagonalGate PermutationGate
    PauliGate QFTGate
"""

ALLOWED = frozenset(_NAMES.split())
