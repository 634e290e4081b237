"""Tools for the tests of programs that use Deuterium: answers without a network, and a scripted server with one."""

from .asgi import ASGITransport
from .mock import MockTransport
from .peer import ScriptedPeer
from .peer_connection import PeerConnection, PeerRequest
from .response import Response
from .wsgi import WSGITransport

__all__ = [
    "ASGITransport",
    "MockTransport",
    "PeerConnection",
    "PeerRequest",
    "Response",
    "ScriptedPeer",
    "WSGITransport",
]
