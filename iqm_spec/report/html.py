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
    style = f"{styles()}\n{_file('page.css')}"
    script = _file("page.js")
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
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


def _file(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8").strip()


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
