"""When a request is repeated, and when the program gives up: every delay and limit stands here.

A `RetryPolicy` is data, and the policies of this module are all that the program has. `Backoff`
applies a policy: it waits before the next try, or says that there is none.

| what | policy | delays | ends |
|---|---|---|---|
| reads before a submission, of `import` and `adopt` | `READS` | 1 s to 30 s, doubled | 1 min |
| reads of `run --dry-run` | `PREVIEW_READS` | as `READS` | 3 s |
| reads of `status`, of a computer's limits and prices | `SHORT_READS` | as `READS` | 5 s |
| reads of `doctor` | `DOCTOR_READS` | 0.5 s to 30 s, doubled | 6 s |
| quality metrics after a run | `SINGLE_READ` | | 1 try |
| reads while jobs are waited for | `WAITING_READS` | as `READS` | with `--wait` |
| counts or shots of a completed job | `RESULT_READS` | as `READS` | 1 min |
| submissions that the server did not accept | `SUBMISSIONS` | 0.5 s to 30 s, doubled | 8 tries |
| looks at the status of jobs | `POLLS` | 0.2 s to 30 s, times 1.5 | with `--wait` |
| looks at a job that another process submits | `OTHER_PROCESS` | 0.2 s | never |
| the tokens file while it is rewritten | `TOKENS_FILE` | 0.1 s | 2 s |

The server's `Retry-After` is obeyed, up to an hour. A delay that would outlast the deadline is cut
short; one that the server asks for is not begun then.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable

from attrs import define, evolve, field, frozen

logger = logging.getLogger("iqm_spec.server_api")


@frozen
class RetryPolicy:
    """Delays between tries, and the last of them. All times are in seconds."""

    first_delay: float
    factor: float
    """Each delay is so many times the one before, up to `longest_delay`."""
    longest_delay: float
    jitter: float = 0.0
    """Share of a delay by which it is longer or shorter at random, so that many programs that wait
    for one server do not ask in step."""
    deadline: float | None = None
    """Time from the first try after which there is no other; None for no end."""
    tries: int | None = None
    """Most tries; None for no limit."""
    has_last_try: bool = True
    """Whether the last delay, which the deadline cuts short, has a try after it."""
    longest_retry_after: float = 3600.0
    """What the server asks for in `Retry-After` counts up to here."""
    retry_after_replaces: bool = False
    """Whether `Retry-After` takes the place of a longer delay of the program's own."""

    def within(self, seconds: float | None) -> RetryPolicy:
        """The policy with a deadline of at most `seconds`; None leaves it as it is."""
        if seconds is None or (self.deadline is not None and self.deadline <= seconds):
            return self
        return evolve(self, deadline=seconds)


READS = RetryPolicy(first_delay=1.0, factor=2.0, longest_delay=30.0, jitter=0.25, deadline=60.0)
"""Then the server counts as unreachable: exit code 6."""

PREVIEW_READS = evolve(READS, deadline=3.0)
SHORT_READS = evolve(READS, deadline=5.0)
"""Of what the program can do without."""
DOCTOR_READS = evolve(READS, first_delay=0.5, deadline=6.0)
SINGLE_READ = evolve(READS, deadline=0.0)
WAITING_READS = evolve(READS, deadline=None)
RESULT_READS = evolve(READS, deadline=60.0)
"""Shots and counts come in two forms: then the other one is read."""

SUBMISSIONS = RetryPolicy(
    first_delay=0.5, factor=2.0, longest_delay=30.0, tries=8, retry_after_replaces=True
)
"""Only of a job that the server certainly does not have: a refused connection, a status of 429."""

POLLS = RetryPolicy(first_delay=0.2, factor=1.5, longest_delay=30.0, has_last_try=False)
"""Delays begin anew with each change of a job's status."""

OTHER_PROCESS = RetryPolicy(first_delay=0.2, factor=1.0, longest_delay=0.2)
TOKENS_FILE = RetryPolicy(first_delay=0.1, factor=1.0, longest_delay=0.1, deadline=2.0)

CONNECT_SECONDS = 15.0
"""Limit for a connection to be made."""
SILENCE_SECONDS = 120.0
"""Time without a byte after which an answer is given up, as in iqm-client."""
ANSWER_FACTOR = 10.0
"""An answer that comes in bits is given up after so many times the limit of silence."""
EMULATOR_CHECK_SECONDS = 10.0
"""Limit of silence for the question whether a server on this machine is the emulator."""

UNREADABLE_TRIES = 3
"""Answers that are not JSON after which results are read in their other form."""
POLLS_PER_SECOND = 10.0
"""Most reads of jobs' statuses: half of the rate limit (a read is 10 of 2000 units per 10 s)."""
LEAST_POLL_SECONDS = 1.0
"""A look at a job has at least so long for its answer, whatever is left of `--wait`."""
LATE_RESULTS_SECONDS = 600.0
"""How long results are waited for that the server does not have of a job it calls completed."""
DETACHED_SECONDS = 60.0
"""How long a detached run waits for the mock, so that the machine's jobs can be submitted."""
IMPORT_SECONDS = 120.0
"""How long `import` waits for the results of jobs that have ended."""


@frozen
class Clock:
    """The time of this machine, and chance from 0 to 1. Tests put others in their place."""

    now: Callable[[], float] = lambda: time.monotonic()
    sleep: Callable[[float], None] = lambda seconds: time.sleep(seconds)
    chance: Callable[[], float] = lambda: random.random()  # noqa: S311 - no secret


@frozen
class Retry:
    """A policy, who hears of its delays, and the clock that it goes by."""

    policy: RetryPolicy
    report: Callable[[str, float], None] = lambda why, seconds: None
    """Called before each delay with the reason of it and its length in seconds."""
    clock: Clock = field(factory=Clock)

    def within(self, seconds: float | None) -> Retry:
        """The same with a deadline of at most `seconds`; None leaves it as it is."""
        return evolve(self, policy=self.policy.within(seconds))


@define
class Backoff:
    """One course of tries. It begins when it is made, with the first try."""

    retry: Retry
    _tries: int = field(default=1, init=False)
    _begun: float = field(init=False)
    _delay: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._begun = self.retry.clock.now()
        self.reset()

    def reset(self) -> None:
        """Begin with the first delay again; tries and deadline go on."""
        self._delay = self.retry.policy.first_delay

    def pause(self, why: str = "", retry_after: float | None = None) -> bool:
        """Wait before the next try; False where there is none.

        `why` the last try failed is reported. `retry_after` is what the server asks for.
        """
        policy, clock = self.retry.policy, self.retry.clock
        if policy.tries is not None and self._tries >= policy.tries:
            return False
        least = min(retry_after or 0.0, policy.longest_retry_after)
        spread = 1.0 + policy.jitter * (2.0 * clock.chance() - 1.0)
        delay = min(policy.longest_delay, self._delay * spread)
        delay = least if least and policy.retry_after_replaces else max(delay, least)
        has_next = True
        if policy.deadline is not None:
            left = policy.deadline - (clock.now() - self._begun)
            if left <= 0.0 or least > left:
                return False
            has_next = policy.has_last_try or delay < left
            delay = min(delay, left)
        self._tries += 1
        self._delay = min(policy.longest_delay, self._delay * policy.factor)
        self.retry.report(why, delay)
        logger.debug("waiting %.1f s before try %d", delay, self._tries)
        clock.sleep(delay)
        return has_next
