"""Every hostile peer of the catalogue against both clients: the right error, the right code on the wire, in time and in
memory; and the client goes on.

The client is a child process for each face, so that its memory can be told from the peer's.
"""

from __future__ import annotations

import hashlib
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from rfc import wire
from servers import Workspace

from .catalogue import SCENARIOS
from .raw_peer import RawPeer
from .scenario import AFTER, ANY, CLEAN, Scenario

CASES = [
    # Slow together: other Pythons than the one of the full run do without the other event loops.
    pytest.param(
        scenario, face, id=f"{scenario.name}-{face}", marks=[pytest.mark.slow] if face in ("uvloop", "trio") else []
    )
    for scenario in SCENARIOS
    for face in scenario.faces
]
TESTS = Path(__file__).resolve().parents[1]
SLOWNESS = 3.0 if os.environ.get("CI") else 1.0


class ClientProcess:
    """A client of one face, and what it needed of memory while idle."""

    def __init__(self, face: str, ca_file: Path) -> None:
        self.ca_file = ca_file
        path = [str(TESTS), *(entry for entry in sys.path if entry)]
        self.child = subprocess.Popen(
            [sys.executable, "-m", "hostile.client_process", face],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONMALLOC": "pymalloc"},
        )
        self.idle_kib = 0

    def asks(self, scenario: Scenario, peer: RawPeer) -> dict[str, Any]:
        """Carry out the scenario's act; what came of it."""
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        command = {
            "url": peer.url,
            "verify": str(self.ca_file),
            "act": scenario.act,
            "options": dict(scenario.options),
            "after": not scenario.always,
        }
        self.child.stdin.write(json.dumps(command) + "\n")
        self.child.stdin.flush()
        answer = self.child.stdout.readline()
        assert answer, f"the client's process ended with {self.child.wait()}"
        result: dict[str, Any] = json.loads(answer)
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        assert self.child.stdin is not None
        self.child.stdin.close()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def plain(name: str, alpn: Any) -> Scenario:
    """An honest peer."""

    def script(line: Any) -> None:
        if line.protocol == "h2":
            line.says(wire.response(1), wire.data(1, AFTER, end=True))
        else:
            line.says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + AFTER)

    return Scenario(name, script, content=AFTER, alpn=alpn)


WARM_UP = (plain("plain over HTTP/2", "h2"), plain("plain over HTTP/1.1", "http/1.1"), plain("plain in the clear", ""))


class Stage:
    """What the scenarios are played with: certificates and the clients."""

    def __init__(self, workspace: Workspace) -> None:
        self.contexts: dict[str, ssl.SSLContext | None] = {"": None}
        for alpn in ("h2", "http/1.1"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(workspace.cert_file, workspace.key_file)
            context.set_alpn_protocols([alpn])
            self.contexts[alpn] = context
        self.ca_file = workspace.ca_file
        self.clients: dict[str, ClientProcess] = {}

    def client(self, face: str) -> ClientProcess:
        client = self.clients.get(face)
        if client is None:
            client = self.clients[face] = ClientProcess(face, self.ca_file)
            for scenario in WARM_UP * 2:
                client.idle_kib = self.play(scenario, client)[1]["peak_kib"]
        return client

    def play(self, scenario: Scenario, client: ClientProcess) -> tuple[RawPeer, dict[str, Any]]:
        """One scenario; the peer as it is afterwards, and what the client says."""
        with RawPeer(self.contexts[scenario.alpn], scenario.play) as peer:
            answer = client.asks(scenario, peer)
        assert peer.failures == []
        return peer, answer


@pytest.fixture(scope="module")
def stage(workspace: Workspace) -> Iterator[Stage]:
    stage = Stage(workspace)
    yield stage
    for client in stage.clients.values():
        client.__exit__()


@pytest.mark.parametrize(("scenario", "face"), CASES)
def test_hostile_peer_ends_as_the_catalogue_says(stage: Stage, scenario: Scenario, face: str) -> None:
    client = stage.client(face)
    peer, answer = stage.play(scenario, client)
    _check_outcome(scenario, answer)
    if scenario.alpn == "h2" and not scenario.raw:
        _check_wire(scenario, peer)
    if scenario.connections:
        assert len(peer.lines) == scenario.connections
    if scenario.check is not None:
        scenario.check(peer)
    if not scenario.always:
        assert answer["after"] == [200, AFTER.decode()]
    assert answer["seconds"] < scenario.limit_s * SLOWNESS
    assert answer["peak_kib"] - client.idle_kib < scenario.memory_mib * 1024


def _check_outcome(scenario: Scenario, answer: dict[str, Any]) -> None:
    if scenario.error:
        assert answer.get("error") == scenario.error, answer
        assert answer["ours"]
        assert scenario.says in answer["message"]
        return
    assert "error" not in answer, answer
    assert answer["status"] == scenario.status
    if scenario.length is not None:
        assert answer["length"] == scenario.length
    if scenario.content is not None:
        assert answer["digest"] == hashlib.sha256(scenario.content).hexdigest()


def _check_wire(scenario: Scenario, peer: RawPeer) -> None:
    """What the first connection's peer was told."""
    line = peer.lines[0]
    goaways = [code for _, code in line.told(wire.GOAWAY) if code != CLEAN]
    assert goaways == ([] if scenario.goaway is None else [scenario.goaway])
    resets = sorted({code for _, code in line.told(wire.RST_STREAM)})
    if scenario.reset != ANY:
        assert resets == ([] if scenario.reset is None else [scenario.reset])
    if scenario.goaway is None and not scenario.always and not line.left and not scenario.connections:
        assert len(peer.lines) == 1
