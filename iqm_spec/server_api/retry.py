"""When a request is repeated, and when the program gives up: every delay and limit stands here.

A `RetryPolicy` is data, and the policies of this module are all that the program has. `Backoff`
applies a policy: it waits before the next try, or says that there is none. A `Retry` goes with a
call: its policy, whom its delays are reported to, and the clock.

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
"""Reads before a submission, and those of `import` and `adopt`. At the deadline the server counts
as unreachable: exit code 6."""

PREVIEW_READS = evolve(READS, deadline=3.0)
"""Reads of `run --dry-run`, which works without a server, too."""

SHORT_READS = evolve(READS, deadline=5.0)
"""Reads of `status`, and of a computer's limits, prices and timeslots: the program can do without
them."""

DOCTOR_READS = evolve(READS, first_delay=0.5, deadline=6.0)
"""Reads of `doctor`."""

SINGLE_READ = evolve(READS, deadline=0.0)
"""Quality metrics after a run: read once."""

WAITING_READS = evolve(READS, deadline=None)
"""Reads while jobs are waited for. Their deadline is that of `--wait`."""

RESULT_READS = evolve(READS, deadline=60.0)
"""The first form of a job's results: its shots before its counts, its counts before the
measurements that they are made of."""

SUBMISSIONS = RetryPolicy(
    first_delay=0.5, factor=2.0, longest_delay=30.0, tries=8, retry_after_replaces=True
)
"""Submissions of a job that the server certainly does not have: a refused connection, a 429."""

POLLS = RetryPolicy(first_delay=0.2, factor=1.5, longest_delay=30.0, has_last_try=False)
"""Looks at jobs that are waited for. The delays begin anew with each change of a job's status; the
deadline is that of `--wait`."""

OTHER_PROCESS = RetryPolicy(first_delay=0.2, factor=1.0, longest_delay=0.2)
"""Looks at the results folder while another process submits a job."""

TOKENS_FILE = RetryPolicy(first_delay=0.1, factor=1.0, longest_delay=0.1, deadline=2.0)
"""Reads of a tokens file that was good before, and that another program may be rewriting."""

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
