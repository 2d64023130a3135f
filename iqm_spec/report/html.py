"""A report as one HTML file that asks for nothing else: styles, script and drawings are in it."""

from __future__ import annotations

import base64
import hashlib
from itertools import count
from pathlib import Path

from iqm_spec.plots.svg import styles
from iqm_spec.report.document import Document

_TEMPLATES = Path(__file__).parent / "templates"


def to_html(document: Document) -> str:
    """The page. Its policy forbids every request, and every script and style but its own."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )
    page_style, script = (
        (_TEMPLATES / name).read_text(encoding="utf-8").strip() for name in ("page.css", "page.js")
    )
    style = f"{styles()}\n{page_style}"
    script_hash, style_hash = (
        base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()
        for text in (script, style)
    )
    policy = (
        f"default-src 'none'; script-src 'sha256-{script_hash}'; style-src 'sha256-{style_hash}'; "
        "base-uri 'none'; form-action 'none'"
    )
    numbers = count(1)
    page = environment.get_template("report.html.j2").render(
        document=document,
        style=style,
        script=script,
        policy=policy,
        kind_of=lambda block: type(block).__name__,
        counter=lambda: next(numbers),
    )
    return page.strip() + "\n"
