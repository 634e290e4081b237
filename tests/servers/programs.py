"""Where the server programs are, and which Debian or PyPI package brings one that is missing.

Run as a program it prints the Debian packages of those that are missing; it needs the standard library alone.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from typing import Final

# Debian puts servers where only root's PATH looks.
SEARCH_PATH: Final = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])

DEBIAN_PACKAGES: Final[dict[str, str]] = {
    "nghttpd": "nghttp2-server",
    "h2load": "nghttp2-client",
    "nginx": "nginx",
    "h2o": "h2o",
    "caddy": "caddy",
    "apache2": "apache2-bin",
    "haproxy": "haproxy",
    "curl": "curl",
    "nghttpx": "nghttp2-proxy",
    "tinyproxy": "tinyproxy",
    "microsocks": "microsocks",
}


class MissingProgram(Exception):
    """A server program is not installed; ``package`` brings it."""

    def __init__(self, program: str, package: str) -> None:
        super().__init__(f"{program} is not installed (package {package})")
        self.program = program
        self.package = package


def find_program(program: str) -> str:
    """The path of a server program; raises :class:`MissingProgram`."""
    path = shutil.which(program, path=SEARCH_PATH)
    if path is None:
        raise MissingProgram(program, DEBIAN_PACKAGES[program])
    return path


def python_module(module: str) -> list[str]:
    """The command that runs a server written in Python; raises :class:`MissingProgram`."""
    if importlib.util.find_spec(module) is None:
        raise MissingProgram(module, module)
    return [sys.executable, "-m", module]


def missing_packages() -> list[str]:
    """The Debian packages that bring the programs not found here."""
    return [package for program, package in DEBIAN_PACKAGES.items() if not shutil.which(program, path=SEARCH_PATH)]


if __name__ == "__main__":
    print(*missing_packages())
