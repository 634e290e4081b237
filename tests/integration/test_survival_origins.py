"""A thousand origins at once: what each idle connection costs beyond TLS itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import deuterium._http2.connection as engine
from servers import Fleet

ORIGINS = 1000
MOST_KIB = 23.0 if not engine.__file__.endswith(".py") else 48.0  # interpreted, objects have dictionaries of slots
SCRIPT = Path(__file__).parents[2] / "bench" / "micro" / "idle_connections.py"
SOURCE = Path(engine.__file__).parents[2]


def test_idle_connections_to_a_thousand_origins_cost_little_beyond_their_tls(fleet: Fleet) -> None:
    server = fleet.get("nginx")

    def measure(mode: str) -> float:
        words = [sys.executable, str(SCRIPT), mode, server.host, str(server.port), str(ORIGINS)]
        environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
        done = subprocess.run(words, capture_output=True, text=True, timeout=100, env=environment, check=True)
        return float(done.stdout)

    bare, client = measure("bare"), measure("client")
    print(f"{client:.1f} KiB a connection, of which {bare:.1f} are TLS's own")
    assert client - bare <= MOST_KIB
