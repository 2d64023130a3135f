"""Analyses of a stored run: what the spec declares, computed again from the folder alone."""

from iqm_spec.study.analyse import analyse_run

__all__ = ["analyse_run"]
