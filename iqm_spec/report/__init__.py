"""Reports: a stored run, or two compared, as one HTML page or as Markdown with pictures.

Each section of a report is a module: it reads a `Subject` and returns blocks of `document`, which
`html` and `markdown` write. Pictures are drawn in `plots`.

Imports: allocation, analysis, circuits, cost, diagnostics, engine, errors, json_types, model,
native, plan, plots, results, server_api, source, spec, stages, statistics, store, targets,
version.
"""

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
