"""The ``deuterium`` command."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code. Says how to install what the command needs when it is missing."""
    try:
        import click  # noqa: F401
        import rich  # noqa: F401
    except ImportError as error:
        print(f"deuterium: the command needs {error.name}: pip install 'deuterium[cli]'", file=sys.stderr)
        return 1
    from .command import run

    return run(arguments)
