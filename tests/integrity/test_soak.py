"""The long run, short: scripts/soak_load.py for some seconds. ``scripts/soak`` runs it for ten minutes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import deuterium
from servers import Fleet

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = os.environ.get("DEUTERIUM_SOAK_SECONDS", "24")  # of twelve, a third is too short for the pools to fill
# Arenas still fill in the first seconds, and connections are still opened; the ten minutes have 6 and 6.
RISES = ["--rise-mib", "32", "--rise-descriptors", "80"]


def test_load_for_some_seconds_leaves_no_trace(fleet: Fleet, tmp_path: Path) -> None:
    for name in ("nghttpd", "nginx", "caddy"):
        fleet.get(name)  # a missing one is a skip on a user's machine
    out = tmp_path / "soak"
    arguments = ["--seconds", SECONDS, "--tasks", "30", "--threads", "4", "--pause", "0.005", "--out", str(out)]
    source = Path(deuterium.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/soak_load.py"), *arguments, *RISES],
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = json.loads(out.with_suffix(".json").read_text())
    assert outcome["requests"] > 100
    assert outcome["wrong_bodies"] == 0
    assert outcome["left_over"] == {"buffers": 0, "streams": 0, "descriptors": 0}
    assert out.with_suffix(".html").read_text().count("<svg") == len(outcome["samples"][0]) - 2
