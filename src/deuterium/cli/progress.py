"""Bars on the terminal, on standard error; nothing where nobody looks."""

from __future__ import annotations

import sys
from time import monotonic
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from .load import LoadRun

REFRESH_EVERY_S: Final = 0.1


class _Bar:
    """One bar, drawn by whoever reports to it: no thread beside the event loop."""

    def __init__(self, shown: bool, description: str, total: float | None, *columns: ProgressColumn) -> None:
        self._progress: Progress | None = None
        self._drawn_at = 0.0
        if shown and sys.stderr.isatty():
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                *columns,
                console=Console(stderr=True),
                auto_refresh=False,
            )
            self._task = self._progress.add_task(description, total=total)

    def draw(self, completed: float, description: str | None = None, *, last: bool = False) -> None:
        """Show how far it is; seldom enough not to be felt."""
        now = monotonic()
        if self._progress is not None and (last or now - self._drawn_at > REFRESH_EVERY_S):
            self._drawn_at = now
            self._progress.update(self._task, completed=completed, description=description, refresh=True)

    def __enter__(self) -> Self:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()


class DownloadBar(_Bar):
    """Octets of one response."""

    def __init__(self, shown: bool, name: str, total: int | None) -> None:
        super().__init__(shown, name, total, DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())


class LoadBar(_Bar):
    """Responses of a load run, by their count or by the time that has passed."""

    def __init__(self, requests: int | None, duration_s: float | None) -> None:
        super().__init__(True, "connecting", requests or duration_s)
        self._by_count = requests is not None

    def watch(self, run: LoadRun) -> None:
        """Draw the state of the run."""
        responses, errors = run.progress()
        elapsed_s = monotonic() - run.started
        rate = responses / elapsed_s if elapsed_s else 0.0
        text = f"{responses:,} responses, {rate:,.0f}/s, {errors:,} errors"
        self.draw(responses + errors if self._by_count else elapsed_s, text)
