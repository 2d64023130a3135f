"""What the scripts of this folder share: they run with a client's own Python, not the project's.

Nothing here imports the project or anything else outside Python's standard library.
"""

import json
import sys
import traceback
import urllib.request
from collections.abc import Callable, Mapping
from importlib.metadata import version

TOKEN = "a-token-that-the-emulator-accepts"


class Wrong(Exception):
    """A client got something else than it should; the words tell what."""


def tell(client: str, work: Callable[[str], list[str]]) -> None:
    """Do `work` on the server named by the command line, print one line of JSON, and exit.

    `client` is the distribution that is tried; `work` returns what was done, in words.
    """
    line: dict[str, object] = {"client": client, "version": version(client), "did": [], "wrong": ""}
    try:
        line["did"] = work(sys.argv[1])
    except Exception as error:  # noqa: BLE001 - whatever it was is told
        traceback.print_exc()
        line["wrong"] = f"{type(error).__name__}: {error}"
    print(json.dumps(line))
    sys.exit(1 if line["wrong"] else 0)


def check(true: object, words: str) -> None:
    """`Wrong` with these words unless `true`."""
    if not true:
        raise Wrong(words)


def check_ghz(counts: Mapping[str, int], qubits: int, shots: int) -> float:
    """The share of shots that are all zeros or all ones, where a noisy machine would leave it."""
    total = sum(counts.values())
    check(total == shots, f"{total} of {shots} shots came back")
    check({len(key) for key in counts} == {qubits}, f"outcomes are not of {qubits} bits: {counts}")
    zeros, ones = counts.get("0" * qubits, 0) / total, counts.get("1" * qubits, 0) / total
    floor = 0.95**qubits
    check(
        zeros + ones > floor, f"{zeros + ones:.2f} of the shots are a GHZ state's, not {floor:.2f}"
    )
    check(0.3 < zeros < 0.65 and 0.3 < ones < 0.65, f"zeros {zeros:.2f}, ones {ones:.2f}")
    return zeros + ones


def check_random(counts: Mapping[str, int], qubits: int, shots: int) -> None:
    """A mock's bits are random: no outcome is far from as likely as any other."""
    total = sum(counts.values())
    check(total == shots, f"{total} of {shots} shots came back")
    expected = shots / 2**qubits
    worst = max(abs(counts.get(f"{k:0{qubits}b}", 0) - expected) for k in range(2**qubits))
    check(worst < 6 * expected**0.5, f"a mock's outcomes are not random: {dict(counts)}")


def keep_next_job_waiting(url: str) -> None:
    """Let the next job that is submitted stay in the queue (a call of the emulator alone)."""
    rule = json.dumps([{"on": "submit", "fault": "job-stuck"}]).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{url}/emulator/faults", rule)):
        pass
