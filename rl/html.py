"""Pages that need nothing else: one file with its style, its tables and its pictures. Every text is escaped."""

import base64
import html
from collections.abc import Sequence

from rl.show import printable

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;font-size:13px}td,th{padding:.15rem .6rem;border-bottom:1px solid #ddd;"
    "text-align:right;vertical-align:top;white-space:pre-wrap}"
    "td:first-child,th:first-child,td:last-child{text-align:left}"
    ".alarm{color:#b00020;font-weight:600}img{max-width:100%}"
)


def page(title: str, sections: Sequence[str]) -> str:
    """`sections` are HTML; empty ones are left out."""
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    start = f'<!doctype html>\n<html lang="en"><head>{head}</head>'
    return "\n".join([start, "<body>", *(section for section in sections if section), "</body></html>", ""])


def escape(text: str) -> str:
    return html.escape(printable(text))


def paragraph(text: str, *, alarm: bool = False) -> str:
    return f'<p class="alarm">{escape(text)}</p>' if alarm else f"<p>{escape(text)}</p>"


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Nothing without rows."""
    if not rows:
        return ""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h2>{escape(title)}</h2>\n<table><tr>{head}</tr>\n{body}</table>"


def bullets(title: str, entries: Sequence[str]) -> str:
    items = "\n".join(f"<li>{escape(entry)}</li>" for entry in entries) or "<li>none</li>"
    return f"<h2>{escape(title)}</h2>\n<ul>{items}</ul>"


def picture(title: str, png: bytes) -> str:
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return f'<h2>{escape(title)}</h2>\n<img alt="{escape(title)}" src="{source}">'
