"""Analyses of a stored run: what the spec declares, computed again from the folder alone."""

from iqm_spec.study.analyse import analyse_run, declared
from iqm_spec.study.keep import analysis_records, keep_analyses, kept_analyses

__all__ = ["analyse_run", "analysis_records", "declared", "keep_analyses", "kept_analyses"]
