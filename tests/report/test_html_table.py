"""HTML for notebooks: texts are escaped, numbers are aligned, and two prices are no formula."""

from __future__ import annotations

import re

import pytest

from lambdasim.report.html_table import html_block, html_paragraph, html_table


def cells_of(html: str) -> list[str]:
    """Each cell as ``tag:alignment:content``."""
    found = re.findall(r'<(t[hd]) style="text-align:(\w+);[^"]*">(.*?)</\1>', html)
    return [":".join(cell) for cell in found]


def test_a_table_has_a_head_and_names() -> None:
    """Words to the left, numbers to the right, in the line with the names of columns as well."""
    html = html_table([("b", "1", "few"), ("a", "12", "many")], align="lrl", head=("", "count", "remark"))
    assert html.startswith("<table><thead><tr>")
    assert html.count("<tr>") == html.count("</tr>") == 3
    assert cells_of(html) == [
        *("th:left:", "th:right:count", "th:left:remark"),
        *("th:left:b", "td:right:1", "td:left:few"),
        *("th:left:a", "td:right:12", "td:left:many"),
    ]


def test_without_a_head_there_is_none() -> None:
    """Only rows."""
    assert "thead" not in html_table([("a", "1")], align="lr")


def test_numbers_and_names_stay_in_one_line() -> None:
    """And remarks may take more."""
    cells = re.findall(r'style="([^"]*)">(\w+)<', html_table([("name", "1000", "word")], align="lrl"))
    assert {text: "nowrap" in style for style, text in cells} == {"name": True, "1000": True, "word": False}


def test_a_cell_may_have_a_small_text_below() -> None:
    """None where it is empty."""
    html = html_table([("a", ("12", "+2"), ("3", ""))], align="lrr")
    assert 'nowrap">12<br><small style="opacity:0.65">+2</small></td>' in html
    assert ">3</td>" in html


def test_every_text_is_escaped() -> None:
    """Names of variants and functions, and descriptions, are what users wrote."""
    html = html_table([("<a>", "<b>", ("<c>", "<d>"))], align="lll", head=("<e>", "", ""))
    assert "".join(re.findall(r"&lt;(\w)&gt;", html)) == "eabcd"
    assert html_paragraph("<p> & co") == "<p>&lt;p&gt; &amp; co</p>"


def test_a_row_has_as_many_cells_as_there_are_columns() -> None:
    """A forgotten cell is a mistake of ours."""
    with pytest.raises(ValueError, match="zip"):
        html_table([("a", "1")], align="lrr")


def test_a_block_is_no_place_for_formulas() -> None:
    """MathJax 3 and 4 look for the one class, MathJax 2 for the other (tests/notebook/test_browser.py looks at it)."""
    html = html_block("<p>$1 a month", " instead of $2</p>")
    assert html == '<div class="mathjax_ignore tex2jax_ignore"><p>$1 a month instead of $2</p></div>'
