"""Columns of data files (CSV, JSON, NPZ) that a sweep names: each may be an axis."""

from iqm_spec.data.columns import Column, Table
from iqm_spec.data.read import ENDINGS, read_table

__all__ = ["ENDINGS", "Column", "Table", "read_table"]
