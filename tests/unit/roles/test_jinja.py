"""Jinja selects and joins; what decides is Python."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FUNCTIONAL = frozenset({"map", "select", "selectattr", "reject", "rejectattr", "groupby", "zip", "product", "dict2items", "items2dict"})
MOST = 4
"""Expressions that read worse as Python, or that only a module of their own would avoid."""
FILES = [*sorted((ROOT / "roles").rglob("*.yml")), *sorted((ROOT / "playbooks").rglob("*.yml"))]


def expressions(text):
    """Yield each expression of a file, in one line."""
    yield from (" ".join(found.split()) for found in re.findall(r"\{\{(.*?)\}\}", text, re.DOTALL))
    yield from re.findall(r"^\s*(?:when|that|until|failed_when|changed_when): ([^\"\[{].*)$", text, re.MULTILINE)


def is_heavy(expression):
    """Three functional filters, four filters, or an inline if beside two filters."""
    without_texts = re.sub(r"'[^']*'", "''", expression)
    filters = re.findall(r"\|\s*([a-z_0-9.]+)", without_texts)
    functional = [name for name in filters if name in FUNCTIONAL]
    return len(functional) >= 3 or len(filters) >= 4 or (" if " in without_texts and len(filters) >= 2)


@pytest.mark.parametrize(("expression", "heavy"), [
    ("a | map('x') | select | list", False), ("a | map('x') | select | map('y')", True), ("a | b | c | d | e", True),
    ("a | b if c else d | e", True), ("a | b if c else d", False), ("'a | b if c | d'", False)])
def test_what_counts(expression, heavy):
    assert is_heavy(expression) is heavy


def test_few_expressions_are_heavy():
    found = [f"{file.relative_to(ROOT)}: {each}" for file in FILES for each in expressions(file.read_text()) if is_heavy(each)]
    assert len(found) <= MOST, "\n".join(found)


def test_no_expression_has_a_program_in_it():
    forbidden = re.compile(r"map\('extract'|product\(|uploads_[a-z_]+ *\| *default")
    assert [f"{file.relative_to(ROOT)}: {line}" for file in FILES for line in file.read_text().splitlines() if forbidden.search(line)] == []
