"""Reports: what a run asked and got, as one HTML page or as Markdown with drawings."""

from iqm_spec.report.compare import comparison_of
from iqm_spec.report.document import Document
from iqm_spec.report.html import to_html
from iqm_spec.report.markdown import to_markdown
from iqm_spec.report.run_report import report_of
from iqm_spec.report.subject import Subject, subject_of

__all__ = [
    "Document",
    "Subject",
    "comparison_of",
    "report_of",
    "subject_of",
    "to_html",
    "to_markdown",
]
