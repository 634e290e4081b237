"""A test run that is told to end takes its servers with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from meta.tree import ROOT

HANGING_TEST = """
import asyncio

def test_hangs(fleet, arun):
    server = fleet.get("nghttpd")
    print(server.pid, server.process.folder, flush=True)
    arun(asyncio.sleep(60))
"""


def test_run_terminated_in_an_event_loop_stops_its_servers(tmp_path: Path) -> None:
    """Under asyncio: uvloop runs a Python signal handler only when something wakes the loop, so it may come late."""
    loop = "asyncio"
    test_file = tmp_path / "test_hanging.py"
    test_file.write_text(HANGING_TEST)
    command = [sys.executable, "-m", "pytest", "-s", "-p", "conftest", "-c", str(ROOT / "pyproject.toml"), "-k", loop]
    run = subprocess.Popen(
        [*command, str(test_file)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])},
    )
    assert run.stdout is not None
    pid, folder = run.stdout.readline().split()
    assert Path(folder).exists()
    run.send_signal(signal.SIGTERM)
    assert run.wait(20) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
    assert not Path(folder).exists()
