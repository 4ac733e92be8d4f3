"""The page of `pepmesh simulate -o html`: one file that needs nothing else.

Style, scripts and data are in the page. Its Content-Security-Policy allows the very
bytes of this style and these scripts by their hashes and forbids everything else, so
that nothing is ever fetched, and no name in the data can become code.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from generator.analysis.engine import Engine
from generator.analysis.simulate.mesh_flows import MeshFlows
from generator.analysis.simulate.report import report_document
from generator.build import table_digest
from generator.overlay.model import Overlay

_FOLDER: Final = Path(__file__).with_name("templates")
_SCRIPTS: Final = ("data", "details", "matrix", "graph", "main")
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_FOLDER), undefined=StrictUndefined, autoescape=True
)


def report_page(engine: Engine, overlay: Overlay) -> str:
    """Return the page for all flows of a mesh."""
    document = report_document(
        MeshFlows(engine, overlay), table_digest(engine.table_bytes)
    )
    style = _read("report.css")
    script = "\n".join(_read(f"report_{name}.js") for name in _SCRIPTS)
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )
    return _TEMPLATES.get_template("report.html.j2").render(
        policy=policy,
        style=style,
        script=script,
        document=document,
        overlay=overlay.name,
    )


def _read(name: str) -> str:
    """Read a part of ours; it must not end the element that it stands in."""
    text = (_FOLDER / name).read_text(encoding="utf-8")
    assert "</" not in text, f"{name} must not contain </"
    return text


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
