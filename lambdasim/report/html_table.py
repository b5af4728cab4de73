"""HTML for notebooks: a part that stands by itself, paragraphs, and tables that all look alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

# What a cell shows: a text, or a text with a small one below it, such as a change.
Cell = str | tuple[str, str]

# MathJax, in JupyterLab and on pages of Sphinx, makes a formula of what stands between two dollar signs, also between
# two prices. It leaves alone what has this class: the one of its versions 3 and 4, the other one of version 2.
_NO_FORMULAS = "mathjax_ignore tex2jax_ignore"

_ALIGNED = {"l": "text-align:left;padding:1px 8px", "r": "text-align:right;padding:1px 8px"}
_ONE_LINE = ";white-space:nowrap"


def html_block(*parts: str) -> str:
    """Parts of HTML as one, as the ``_repr_html_`` of an object returns it: dollar signs in it stay dollar signs."""
    return f'<div class="{_NO_FORMULAS}">{"".join(parts)}</div>'


def html_paragraph(text: str) -> str:
    """A paragraph of a plain text."""
    return f"<p>{escape(text)}</p>"


def html_table(rows: Iterable[Sequence[Cell]], *, align: str, head: Sequence[str] = ()) -> str:
    """A table of plain texts, the first of each row its name.

    ``align`` has a letter for each column: ``l`` for words, ``r`` for numbers, which are never broken into two lines,
    no more than names. Without ``head`` there is no line with the names of the columns.
    """
    lines = []
    if head:
        columns = (f'<th style="{_ALIGNED[to]}">{escape(name)}</th>' for to, name in zip(align, head, strict=True))
        lines.append(f"<thead><tr>{''.join(columns)}</tr></thead>")
    lines.append("<tbody>")
    for row in rows:
        name, *cells = (_cell_html(cell) for cell in row)
        lines.append(f'<tr><th style="{_ALIGNED[align[0]]}{_ONE_LINE}">{name}</th>')
        for to, cell in zip(align[1:], cells, strict=True):
            lines.append(f'<td style="{_ALIGNED[to]}{_ONE_LINE if to == "r" else ""}">{cell}</td>')
        lines.append("</tr>")
    lines.append("</tbody>")
    return f"<table>{''.join(lines)}</table>"


def _cell_html(cell: Cell) -> str:
    if isinstance(cell, str):
        return escape(cell)
    text, below = cell
    return escape(text) + (f'<br><small style="opacity:0.65">{escape(below)}</small>' if below else "")
