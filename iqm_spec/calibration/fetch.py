"""Finds a calibration set: at the server where it can be reached, else in the results folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from iqm_spec.calibration.calibration_set import CalibrationSet
from iqm_spec.calibration.stored import (
    keep_as_newest,
    keep_calibration_set,
    newest_calibration_set,
    read_calibration_set,
    stored_calibration_set,
)
from iqm_spec.errors import Refused, Unreachable

if TYPE_CHECKING:
    from iqm_spec.server_api.connection import Connection
    from iqm_spec.server_api.retry import Retry
    from iqm_spec.store import Store

DEFAULT = "default"
"""Stands for the set that the server uses now."""


@frozen
class Fetched:
    """A calibration set; `why_stored` says why it comes from the folder, if it does."""

    calibration: CalibrationSet
    why_stored: str = ""


@frozen
class Source:
    """Where calibration sets come from: a server, and the results folder that keeps them.

    `connection` is None where there are no credentials; `why_not` then says so.
    """

    store: Store
    server_id: str
    connection: Connection | None
    retry: Retry
    why_not: str = ""

    def fetch(self, alias: str, set_id: str = DEFAULT) -> Fetched:
        """A set, by default the newest; what is read from the server is kept in the folder.

        A set with an id never changes, so that the folder's comes first. Refused where neither has
        it, or the server gives no quality metrics; Unreachable where no server answers and the
        folder has none.
        """
        if set_id != DEFAULT:
            stored = stored_calibration_set(self.store, self.server_id, alias, set_id)
            if stored is not None:
                return Fetched(stored)
        if self.connection is None:
            return self._from_folder(alias, set_id, Refused(self.why_not, code="refused.token"))
        from iqm_spec.server_api.computers import find_computer, list_computers
        from iqm_spec.server_api.errors import CalibrationGone

        keep = keep_as_newest if set_id == DEFAULT else keep_calibration_set
        try:
            find_computer(list_computers(self.connection, self.retry), alias)
            found = read_calibration_set(self.connection, alias, set_id, self.retry)
            keep(self.store, self.server_id, found)  # ValueError for what JSON cannot hold
        except Unreachable as error:
            return self._from_folder(alias, set_id, error)
        except CalibrationGone as error:
            hint = f"`iqm-spec calibration {alias}` shows the set that the server uses now"
            raise Refused(error.message, hint=hint, code=error.code) from None
        except ValueError as error:
            raise Refused(str(error), code="refused.calibration") from None
        return Fetched(found)

    def _from_folder(self, alias: str, set_id: str, why: Refused | Unreachable) -> Fetched:
        stored = None
        if set_id == DEFAULT:
            stored = newest_calibration_set(self.store, self.server_id, alias)
            stored = stored or newest_calibration_set(self.store, None, alias)
        if stored is None:
            hint = why.hint or "the folder has no calibration of it either"
            raise type(why)(why.message, hint=hint, code=why.code)
        return Fetched(stored, why.message)
