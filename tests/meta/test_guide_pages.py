"""Every snippet of these pages of the guide runs as it stands there."""

from __future__ import annotations

import asyncio
import re
import threading
from pathlib import Path
from typing import Any

import pytest
import trio

from deuterium.testing import ScriptedPeer
from servers import Fleet

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide"


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
