"""Which job may be taken for one whose outcome is unknown: payload and time must fit."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from iqm_spec.errors import Refused, UsageError
from iqm_spec.server_api.payload import job_body
from iqm_spec.stages.server.adopt import AFTER, BEFORE, adopt, release
from iqm_spec.stages.server.attempts import Phase, attempts
from iqm_spec.store import Store
from tests.journals import append

MEANT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PAYLOAD = json.loads(job_body([], 10, None, {}))
KEY = "a" * 64


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    journal = store.job(KEY)
    journal.claim("claimed", 1)
    at = MEANT.strftime("%Y-%m-%dT%H:%M:%SZ")
    body = store.put_json(PAYLOAD)
    append(journal, "intent", body=body, at=at)
    append(journal, "unknown")
    return store


@pytest.mark.parametrize(
    ("late", "fits"),
    [
        (timedelta(seconds=2), True),
        (-BEFORE, True),
        (AFTER, True),
        (-BEFORE - timedelta(seconds=1), False),
        (AFTER + timedelta(seconds=1), False),
        (timedelta(days=-3), False),
        (None, True),
    ],
)
def test_a_job_of_another_time_is_somebody_elses(
    store: Store, late: timedelta | None, fits: bool
) -> None:
    found = attempts(KEY, store.job(KEY).events())
    created = None if late is None else MEANT + late
    if fits:
        assert adopt(store, found, "an-id", PAYLOAD, created).job == KEY
        (attempt,) = attempts(KEY, store.job(KEY).events())
        assert (attempt.phase, attempt.ids) == (Phase.SUBMITTED, ("an-id",))
        return
    with pytest.raises(Refused) as error:
        adopt(store, found, "an-id", PAYLOAD, created)
    assert error.value.code == "refused.time"
    assert "--anyway" in error.value.hint
    assert attempts(KEY, store.job(KEY).events()) == found


def test_an_empty_name_releases_nothing(store: Store) -> None:
    with pytest.raises(UsageError):
        release(store, attempts(KEY, store.job(KEY).events()), "")
