"""The security page names scenarios and files that exist, and none of the catalogue twice."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from .catalogue import SCENARIOS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
ROW = re.compile(r"^\| (?:CVE|GHSA).*\| ([^|]*) \|$", re.MULTILINE)
NAME = re.compile(r"`([a-z0-9][a-z0-9./_-]+)`")


def test_security_page_names_what_exists() -> None:
    known = {scenario.name for scenario in SCENARIOS}
    named = [name for cell in ROW.findall(PAGE) for name in NAME.findall(cell)]
    assert len(named) > 80
    missing = [name for name in named if name not in known and not (ROOT / name).exists()]
    assert missing == []


def test_catalogue_names_each_scenario_once() -> None:
    assert [name for name, count in Counter(scenario.name for scenario in SCENARIOS).items() if count > 1] == []
