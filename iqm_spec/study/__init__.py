"""Analyses of a stored run: what the spec declares, computed again from the folder alone."""

from iqm_spec.study.analyse import analyse_run, declared
from iqm_spec.study.keep import analysis_lines, keep_analyses, kept_analyses

__all__ = ["analyse_run", "analysis_lines", "declared", "keep_analyses", "kept_analyses"]
