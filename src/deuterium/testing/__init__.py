"""Tools for the tests of programs that use Deuterium: answers without a network, and a scripted server with one."""

from .asgi import ASGITransport
from .mock import MockTransport
from .response import Response
from .wsgi import WSGITransport

__all__ = ["ASGITransport", "MockTransport", "Response", "WSGITransport"]
