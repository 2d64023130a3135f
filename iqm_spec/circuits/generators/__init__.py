"""The built-in families of circuits, one module each."""

from iqm_spec.circuits.generator import Generator
from iqm_spec.circuits.generators.bell import BELL
from iqm_spec.circuits.generators.bernstein_vazirani import BERNSTEIN_VAZIRANI
from iqm_spec.circuits.generators.coherence import ECHO, RAMSEY, T1
from iqm_spec.circuits.generators.ghz import GHZ
from iqm_spec.circuits.generators.ghz_parity import GHZ_PARITY
from iqm_spec.circuits.generators.grover import GROVER
from iqm_spec.circuits.generators.hardware_efficient import HARDWARE_EFFICIENT
from iqm_spec.circuits.generators.mirror import MIRROR
from iqm_spec.circuits.generators.phase_estimation import PHASE_ESTIMATION
from iqm_spec.circuits.generators.qaoa_maxcut import QAOA_MAXCUT
from iqm_spec.circuits.generators.qft import QFT
from iqm_spec.circuits.generators.quantum_volume import QUANTUM_VOLUME
from iqm_spec.circuits.generators.random_clifford import RANDOM_CLIFFORD
from iqm_spec.circuits.generators.tfim import TFIM
from iqm_spec.circuits.generators.w_state import W_STATE

BUILT_IN: dict[str, Generator] = {
    generator.name: generator
    for generator in (
        BELL,
        BERNSTEIN_VAZIRANI,
        ECHO,
        GHZ,
        GHZ_PARITY,
        GROVER,
        HARDWARE_EFFICIENT,
        MIRROR,
        PHASE_ESTIMATION,
        QAOA_MAXCUT,
        QFT,
        QUANTUM_VOLUME,
        RAMSEY,
        RANDOM_CLIFFORD,
        T1,
        TFIM,
        W_STATE,
    )
}
