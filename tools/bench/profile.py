"""Where the time of a sweep of 200 noisy points goes, function by function (pyinstrument)."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tools.bench import specs


def main() -> int:
    with tempfile.TemporaryDirectory() as place:
        spec = specs.ansatz(Path(place), 200)
        # a first run compiles modules and fills caches
        for results in ("warm", "measured"):
            command = [sys.executable, "-m"]
            if results == "measured":
                command += ["pyinstrument", "-r", "text", "-o", f"{place}/profile", "-m"]
            command += ["iqm_spec", "run", str(spec), "--results", f"{place}/{results}", "-j", "1"]
            subprocess.run(command, check=True, capture_output=True)
        print(Path(place, "profile").read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
