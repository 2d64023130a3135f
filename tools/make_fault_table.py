"""Plays every fault at every step of a run and prints what came of it, as docs/faults.md has it.

`python -m tools.make_fault_table [--server URL] [-o docs/faults.md] [--spawn] [--resume]`

Without `--server` emulators are started. A server that is named must offer the emulator's control
calls (docs/emulator.md): faults are made and submissions counted with them.
"""

from __future__ import annotations

import argparse
import json
import queue
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from tests.faults.bench import Bench
from tests.faults.matrix import FOOTNOTES, STEPS, Scenario, rows, scenarios
from tests.faults.play import Outcome, play

WORKERS = 2
CANNOT = """\
{url} offers none of the emulator's control calls (docs/emulator.md). Not made there: {faults}.
Signals, full disks, second processes and copies could be, but without a ledger of what reached the
server nobody could tell what was paid; so nothing was submitted."""
HEAD = """\
# Faults: nothing paid twice, nothing lost

Made by `python -m tools.make_fault_table -o docs/faults.md`. This command plays every cell of the
table with `iqm-spec` in separate processes, against the [emulator](emulator.md), in a few minutes.
Its exit code is not 0 if a guarantee below is broken.

## How a submission is protected

The API of IQM's servers cannot list jobs and has no idempotency keys: a job with a lost id cannot
be found again, and a repeated POST is paid again. So a submission has four steps. What a step
writes is on disk (fsynced) before the next step begins:

1. **claim**: a file that only one process can create grants the right to submit this attempt;
2. **intent**: what is about to be sent, the sha256 of its bytes, and its points;
3. the POST, once, by code that never repeats or redirects it; Ctrl-C and SIGTERM wait for its end;
4. **submitted** with the job's id, **rejected**, or **unknown**, depending on the answer.

A job with an id is fetched and never resubmitted. An intent without an outcome, whose process is
gone, is *unknown*: exit code 8 names `adopt RUN JOB_ID` and `release RUN JOB`, and you decide. An
answer counts as *rejected* only if it says so (4xx), and a POST as *not sent* only if no byte of it
left this machine. A POST that gets a 429 is retried. Mock jobs are free, so unknown mock jobs are
resubmitted.

## How to read the table

Each cell is one scenario: the fault affects the first of two jobs at that step. Then a user repairs
the run: `run` again, `adopt` or `release` for unknown jobs (as the server's dashboard shows them),
`release` for failed jobs, and `run` again. The cell shows

`exit code of the first command / POSTs to the machine / jobs it accepted / paid twice / lost`

(`killed` instead of an exit code; with two processes, both codes). The run needs two jobs; a third
job replaces one that failed and was released. After every scenario, all points have results, every
id from the server is in the folder, and `iqm-spec verify` reports no problems. *Lost* counts ids
and points for which this is not so.

"""


def main(arguments: Sequence[str]) -> int:
    """Play, print, and with `-o` write the page; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", metavar="URL")
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--only", default="", help="scenarios whose name holds this text")
    parser.add_argument("--spawn", action="store_true", help="start each process as a shell does")
    parser.add_argument("--resume", action="store_true", help="repair by `resume`, not by `run`")
    given = parser.parse_args(arguments)
    wanted = [one for one in scenarios() if given.only in one.id]
    if given.server is not None and not has_controls(given.server):
        faults = ", ".join(rows([one for one in wanted if one.rules or one.needs_own_server]))
        print(CANNOT.format(url=given.server, faults=faults), file=sys.stderr)
        return 4
    able = [one for one in wanted if given.server is None or not one.needs_own_server]
    outcomes = play_all(able, given.server, spawn=given.spawn, resumes=given.resume)
    text = f"{table(wanted, outcomes)}\n{totals(outcomes)}\n"
    print(text)
    if len(able) < len(wanted):
        left = ", ".join(rows([one for one in wanted if one not in able]))
        print(f"Not made, as {given.server} cannot be ended from here: {left}.")
    for outcome in outcomes:
        for what in outcome.broken:
            print(f"{outcome.scenario.id}: {what}", file=sys.stderr)
    if given.output is not None:
        given.output.write_text(HEAD + legend() + text + footnotes(), encoding="utf-8")
    return int(any(outcome.broken for outcome in outcomes))


def has_controls(url: str) -> bool:
    """Whether a server offers the emulator's control calls."""
    try:
        with build_opener(ProxyHandler({})).open(f"{url}/emulator", timeout=10) as answer:
            return bool(json.loads(answer.read()).get("emulator") == "iqm-spec")
    except (URLError, OSError, ValueError, AttributeError):
        return False


def play_all(
    wanted: Sequence[Scenario], url: str | None, *, spawn: bool, resumes: bool
) -> list[Outcome]:
    """Outcomes in the order of the scenarios; a server that is named is used by one at a time."""
    waiting: queue.SimpleQueue[Scenario] = queue.SimpleQueue()
    for one in wanted:
        waiting.put(one)
    found: dict[str, Outcome] = {}
    failures: list[BaseException] = []

    def work(folder: Path) -> None:
        try:
            with Bench(folder, url, spawn=spawn, resumes=resumes) as bench:
                while True:
                    scenario = waiting.get_nowait()
                    found[scenario.id] = play(scenario, bench, folder / scenario.id)
                    print(".", end="", file=sys.stderr, flush=True)
        except queue.Empty:
            pass
        except BaseException as error:  # noqa: BLE001 - told by the caller
            failures.append(error)

    with tempfile.TemporaryDirectory() as folder:
        count = WORKERS if url is None else 1
        threads = [
            threading.Thread(target=work, args=(Path(folder) / str(i),)) for i in range(count)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(file=sys.stderr)
    if failures:
        raise failures[0]
    return [found[one.id] for one in wanted]


def table(wanted: Sequence[Scenario], outcomes: Sequence[Outcome]) -> str:
    """Faults down, steps across; `-` where it cannot happen, `n/a` where it was not made."""
    cells = {(one.fault, one.step): "n/a" for one in wanted}
    cells |= {(one.scenario.fault, one.scenario.step): cell(one) for one in outcomes}
    lines = [["fault", *STEPS], ["---"] * (1 + len(STEPS))]
    lines += [
        [fault, *(cells.get((fault, step), "-") for step in STEPS)] for fault in rows(list(wanted))
    ]
    wide = [max(len(line[i]) for line in lines) for i in range(1 + len(STEPS))]
    return "".join(
        "| " + " | ".join(text.ljust(w) for text, w in zip(line, wide, strict=True)) + " |\n"
        for line in lines
    )


def cell(outcome: Outcome) -> str:
    """`8/3/2/0/0`, with `!` where a promise was broken."""
    exits = "+".join("killed" if code == -9 else str(code) for code in outcome.exits)
    counts = (outcome.tried, outcome.accepted, outcome.twice, outcome.lost)
    return "/".join([exits, *map(str, counts)]) + ("!" if outcome.broken else "")


def totals(outcomes: Sequence[Outcome]) -> str:
    """The sums of the table in a sentence."""
    beyond = sum(one.twice for one in outcomes if one.scenario.twice)
    twice = sum(one.twice for one in outcomes) - beyond
    text = (
        f"{len(outcomes)} scenarios: {sum(one.accepted for one in outcomes)} submissions accepted, "
        f"{twice} paid twice, {sum(one.lost for one in outcomes)} lost, "
        f"{sum(one.unknown for one in outcomes)} unknown (reported with exit 8)."
    )
    if beyond:
        silent = sum(1 for one in outcomes if one.scenario.twice and one.broken)
        told = (
            f", but not reported in {silent} of the cells (!)"
            if silent
            else " and reported as paid twice"
        )
        text += (
            f"\nIn addition, {beyond} were submitted from two copies of a folder before either had "
            f"them: both ids are stored{told}."
        )
    return text


def legend() -> str:
    """The columns."""
    lines = "".join(f"| {step} | {what} |\n" for step, what in STEPS.items())
    return f"| step | when the fault occurs |\n|---|---|\n{lines}\n"


def footnotes() -> str:
    """Why cells are empty."""
    return f"\n## Empty cells, and the limits\n\n{FOOTNOTES}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
