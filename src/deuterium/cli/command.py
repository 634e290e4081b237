"""The options of the command, and what runs for each."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import click
from rich.console import Console

from ..core import VERSION
from ..errors import HTTPError, InvalidURL
from . import report
from .failures import BUG, INTERRUPTED, OK, Failure, failure
from .get import GetOptions
from .get import get as run_get
from .load import LoadRun, Plan
from .loop import loop_factory
from .loop import run as run_loop
from .progress import LoadBar
from .settings import Settings

CODES: Final = """Exit codes: 0 done, 1 unsupported, 2 usage, 3 URL, 6 name, 7 connect, 16 protocol, 22 status (--fail),
23 writing, 26 reading -d, 28 timeout, 35 TLS, 56 receiving, 60 certificate, 130 Ctrl-C."""
DEFAULT_REQUESTS: Final = 10_000

Command = Callable[..., Any]


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit code. Whatever happens ends in one line on standard error."""
    try:
        code = deuterium.main(
            args=None if arguments is None else list(arguments), prog_name="deuterium", standalone_mode=False
        )
        sys.stdout.flush()
        return int(code or OK)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Failure as error:
        return _end(error)
    except (KeyboardInterrupt, click.Abort):
        click.echo("deuterium: interrupted", err=True)
        return INTERRUPTED
    except Exception as error:  # the command's task ends here, and a traceback is no answer to a user
        return _end(Failure(f"unexpected {type(error).__name__}: {error}", BUG))


def _end(error: Failure) -> int:
    if str(error):
        click.echo(f"deuterium: {error}", err=True)
    return error.exit_code


def connecting(command: Command) -> Command:
    """The options both commands share."""
    file = click.Path(exists=True, dir_okay=False)
    for option in (
        click.option("--max-time", "max_time_s", type=click.FloatRange(0), default=0, metavar="SECONDS",
                     help="Limit of each whole request; 0, the default: none."),
        click.option("--timeout", "timeout_s", type=click.FloatRange(0), default=30, metavar="SECONDS",
                     help="Limit for connecting and for each wait without an octet; 0: none. Default 30."),
        click.option("--http2", "protocol", flag_value="http2", help="HTTP/2 only; http:// URLs without asking first."),
        click.option("--http1", "protocol", flag_value="http1", help="HTTP/1.1 only."),
        click.option("-k", "--insecure", is_flag=True, help="Trust any certificate."),
        click.option("--key", type=file, help="The key of --cert, when it is in a file of its own."),
        click.option("--cert", type=file, help="Client certificate (PEM)."),
        click.option("--cacert", type=click.Path(exists=True), help="Trust these authorities (PEM) and no others."),
        click.option("-d", "--data", multiple=True, metavar="DATA",
                     help="Content to send; @FILE or @- (standard input) reads it. Makes the method POST."),
        click.option("-H", "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="A header field."),
        click.option("-X", "--request", "method", metavar="METHOD", help="The method; default GET, or POST with -d."),
        click.argument("url"),
    ):  # fmt: skip
        command = option(command)
    return command


def _settings(chosen: dict[str, Any]) -> Settings:
    return Settings(**{name: chosen.pop(name) for name in Settings.__dataclass_fields__})


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=CODES)
@click.version_option(VERSION, "--version", "-V", prog_name="deuterium", message="%(prog)s %(version)s")
def deuterium() -> None:
    """An HTTP client that speaks HTTP/2 first."""


@deuterium.command(epilog=CODES)
@connecting
@click.option("-o", "--output", metavar="FILE", help="Write to FILE, whole or not at all; -: standard output.")
@click.option("-i", "--include", is_flag=True, help="Write the status and header fields before the content.")
@click.option("-L", "--location", is_flag=True, help="Follow redirects.")
@click.option("-f", "--fail", is_flag=True, help="Exit with 22 for a status of 400 or more, without its content.")
@click.option("-v", "--verbose", is_flag=True, help="Tell of connection, TLS, fields and times on standard error.")
@click.option("--trace", is_flag=True, help="List every HTTP/2 frame, both ways, on standard error.")
def get(**chosen: Any) -> int:
    """Fetch URL."""
    return run_get(_settings(chosen), GetOptions(**chosen))


@deuterium.command(epilog="Exit codes: 0 all answered, 1 some not, 130 Ctrl-C; of none answered, the code of get.")
@connecting
@click.option("-n", "--requests", type=click.IntRange(1), metavar="N",
              help=f"Requests in all; default {DEFAULT_REQUESTS:,} unless --duration is given.")  # fmt: skip
@click.option("-c", "--connections", type=click.IntRange(1), default=1, metavar="N", help="Connections; default 1.")
@click.option("-m", "--streams", type=click.IntRange(1), default=100, metavar="N",
              help="Requests in flight on each connection; default 100, over HTTP/1.1 always 1.")  # fmt: skip
@click.option("--duration", "duration_s", type=click.FloatRange(0, min_open=True), metavar="SECONDS",
              help="Stop after so long.")  # fmt: skip
@click.option("--uvloop/--no-uvloop", default=None, help="The event loop; default uvloop where it is installed.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def load(
    requests: int | None,
    connections: int,
    streams: int,
    duration_s: float | None,
    uvloop: bool | None,
    as_json: bool,
    **chosen: Any,
) -> int:
    """Send many requests to URL and measure. Ctrl-C stops and prints what was measured."""
    settings = _settings(chosen)
    if requests is None and duration_s is None:
        requests = DEFAULT_REQUESTS
    name, factory = loop_factory(uvloop)
    load_run = LoadRun(settings, Plan(requests, duration_s, connections, streams))
    try:
        with LoadBar(requests, duration_s) as bar:
            outcome = run_loop(load_run.run(bar.watch), factory)
    except (HTTPError, InvalidURL) as error:
        raise failure(error) from error
    facts = report.document(outcome, settings.url, name)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        report.show(facts, Console(highlight=False))
    return report.code_of(outcome)

