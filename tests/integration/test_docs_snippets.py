"""The snippets of docs/connections.md run as they stand, against a real server in the place of example.org."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import deuterium
from servers import Fleet

ROOT = Path(__file__).parents[2]
PAGES = ("docs/connections.md",)
SNIPPETS = [
    pytest.param(snippet, id=f"{Path(page).stem}-{number}")
    for page in PAGES
    for number, snippet in enumerate(re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL))
]


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_snippet_runs(fleet: Fleet, tmp_path: Path, snippet: str) -> None:
    server = fleet.get("nginx")
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(deuterium.__file__).parents[1]),
        "SSL_CERT_FILE": str(server.ca_file),
    }
    done = subprocess.run(
        [sys.executable, "-c", snippet.replace("https://example.org", server.base_url)],
        capture_output=True, text=True, timeout=60, env=environment, cwd=tmp_path, check=False,
    )
    assert done.returncode == 0, done.stderr
