"""Every snippet of these pages of the guide runs as it stands there."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest
import trio

import deuterium
from deuterium.testing import ScriptedPeer
from meta import guide_program
from meta.guide_server import guide_server
from meta.tree import ROOT
from servers import Fleet

GUIDE = ROOT / "docs" / "guide"
# Run from top to bottom, with a server in the place of example.org.
PROGRAMS = (
    "../index.md",
    "../memory.md",
    "quickstart.md",
    "requests.md",
    "responses.md",
    "policies.md",
    "coming-from.md",
)


def snippets(page: str) -> list[str]:
    """The Python on a page of the guide."""
    return re.findall(r"^```python\n(.*?)^```$", (GUIDE / page).read_text(), re.MULTILINE | re.DOTALL)


def run(page: str, snippet: str) -> dict[str, Any]:
    """Execute a snippet; the names it defines."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(snippet, page, "exec"), names)
    return names


@pytest.mark.parametrize("snippet", snippets("testing.md"), ids=range(len(snippets("testing.md"))))
def test_snippet_about_testing_runs(snippet: str) -> None:
    run("testing.md", snippet)


def test_snippets_about_websocket_run(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    under_asyncio, in_threads = snippets("websocket.md")
    url = fleet.get("hypercorn", tls=False).url("/echo").replace("http", "ws")
    asyncio.run(run("websocket.md", under_asyncio)["main"](url))
    run("websocket.md", in_threads)["main"](url)
    assert capsys.readouterr().out == "HTTP/1.1 chat\nhello\nhello\n"


def test_snippet_about_trio_runs() -> None:
    (snippet,) = snippets("trio.md")
    with ScriptedPeer() as peer:
        assert trio.run(run("trio.md", snippet)["main"], peer.url("/"), 20) == [200] * 20
    assert not [thread for thread in threading.enumerate() if thread.name == "deuterium.testing"]


@pytest.mark.parametrize("page", PROGRAMS)
def test_page_runs_from_top_to_bottom(page: str, tmp_path: Path) -> None:
    peer, ca_file = guide_server(tmp_path)
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(deuterium.__file__).parents[1]),
        "SSL_CERT_FILE": str(ca_file),
    }
    with peer:
        base_url = f"https://localhost:{peer.port}"
        done = subprocess.run(
            [sys.executable, guide_program.__file__, str(GUIDE / page), base_url],
            capture_output=True, text=True, timeout=60, env=environment, cwd=tmp_path, check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr


def test_quickstart_names_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = re.findall(r"^\| `(\w+)` \|", (GUIDE / "quickstart.md").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(project["optional-dependencies"])


def test_every_page_is_in_the_navigation() -> None:
    docs = ROOT / "docs"
    pages = {file.relative_to(docs).as_posix() for file in (*docs.glob("*.md"), *GUIDE.glob("*.md"))}
    assert pages - set(re.findall(r"^ +- ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)) == set()
