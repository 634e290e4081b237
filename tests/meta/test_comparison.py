"""docs/comparison.md claims nothing of Deuterium that no test shows."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from meta.tree import ROOT

PAGE = (ROOT / "docs" / "comparison.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| |")
]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@cache
def functions_of(file: str) -> set[str]:
    """The test functions of a file."""
    tree = ast.parse((ROOT / file).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_comparison_has_rows_of_one_form() -> None:
    assert len(ROWS) > 70
    assert {len(row) for row in ROWS} == {9}
    assert len({row[0] for row in ROWS}) == len(ROWS)
    assert {cell for row in ROWS for cell in row[2:8]} <= {"yes", "part", "extra", "no", "-", "?"}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_row_is_shown_by_tests_that_exist_unless_it_says_no(row: list[str]) -> None:
    named = TEST.findall(row[8])
    assert bool(named) == (not row[1].startswith("no"))
    assert [f"{file}::{name}" for file, name in named if name not in functions_of(file)] == []
