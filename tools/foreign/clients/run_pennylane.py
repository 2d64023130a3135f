"""PennyLane's IQM device: counts, expectation values and calibration data."""

import pennylane as qml
from pennylane_iqm import IQMDevice, mock_device

from tools.foreign.clients.told import TOKEN, check, check_ghz, tell

SHOTS = 4000
WAYS: tuple[tuple[str, dict[str, bool]], ...] = (
    ("garnet", {}),
    ("garnet", {"use_metrics": True}),
    # the device's search of layouts knows no resonators and says so
    ("deneb", {"optimize_layout": False}),
)


def device(url: str, computer: str, **options: object) -> IQMDevice:
    # the device has no argument for the computer: the client below it takes it from the address
    made = IQMDevice(f"{url}/{computer}", wires=3, token=TOKEN, poll_interval=0.05, **options)
    check(made.architecture is not None, f"no architecture of {computer}")
    return made


def ghz() -> None:
    qml.Hadamard(0)
    qml.CNOT([0, 1])
    qml.CNOT([1, 2])


def ghz_counts() -> object:
    ghz()
    return qml.counts(wires=[0, 1, 2])


def parity() -> object:
    ghz()
    return qml.expval(qml.PauliX(0) @ qml.PauliX(1) @ qml.PauliX(2))


def work(url: str) -> list[str]:
    done = []
    for computer, options in WAYS:
        dev = device(url, computer, **options)
        node = qml.set_shots(qml.QNode(ghz_counts, dev), SHOTS)
        share = check_ghz({str(k): int(v) for k, v in node().items()}, 3, SHOTS)
        value = float(qml.set_shots(qml.QNode(parity, dev), SHOTS)())
        check(value > 0.7, f"<XXX> of a GHZ state on {computer} is {value:.2f}")
        words = ", ".join(f"{name}={value}" for name, value in options.items())
        done.append(f"GHZ(3) on {computer} ({words or 'as it comes'}: {share:.2f} right)")
    noisy = mock_device(device(url, "garnet").calibration(), wires=["QB1", "QB2"])
    check(noisy is not None, "no device from the calibration")
    return [*done, "calibration read"]


if __name__ == "__main__":
    tell("pennylane-iqm", work)
