"""How each client is built, started on its core and read: every one answers with the same record."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenarios import Scenario

from servers import Server, Servers

HERE = Path(__file__).resolve().parent
Record = dict[str, Any]
MISSING = 77
"""Exit status of a Python peer whose package is not installed."""
PATIENCE_S = 180
"""Longest turn: httpx takes ten seconds for the download, on a busy machine a multiple of it."""


class ClientMissing(Exception):
    """The client cannot run here; the message says what is missing."""


@dataclass(frozen=True)
class Run:
    """One client's turn: the scenario with its server, and how long to measure."""

    scenario: Scenario
    server: Server
    servers: Servers
    concurrency: int
    seconds: float
    warmup: float

    @property
    def url(self) -> str:
        return self.server.urls[0] + self.scenario.path

    def arguments(self) -> list[str]:
        """What a client that measures itself is told."""
        urls = [base + self.scenario.path for base in self.server.urls]
        values = {
            "mode": self.scenario.mode,
            "scenario": self.scenario.name,
            "url": ",".join(urls),
            "ca": self.servers.certificates.ca,
            "concurrency": self.concurrency,
            "connections": self.scenario.connections,
            "seconds": self.seconds,
            "warmup": self.warmup,
            "repeat": self.scenario.repeat,
            "size": self.scenario.size,
        }
        return [word for name, value in values.items() for word in (f"--{name}", str(value))]


@dataclass(frozen=True)
class Finished:
    """A process that ended: its output, its CPU seconds and the largest memory seen."""

    stdout: str
    cpu_s: float
    peak_rss_kib: int


class Launcher:
    """Starts client processes on one core, one at a time."""

    def __init__(self, core: int | None, cache: Path, source: Path | None) -> None:
        self.pin = ["taskset", "-c", str(core)] if core is not None and shutil.which("taskset") else []
        self.cache = cache
        self.source = source
        self.cpu_s = 0.0
        """User and system time of every process started so far."""
        self._built: dict[str, Path | ClientMissing] = {}

    def run(self, client: str, run: Run) -> Record:
        """One round of `client`, which may be named `client@in_flight`."""
        name = client.partition("@")[0]
        modes = {"h2load": ("get",), "curl": ("download", "upload")}
        if run.scenario.mode not in modes.get(name, (run.scenario.mode,)):
            raise ClientMissing(f"it has no {run.scenario.mode} mode here")
        if name == "h2load":
            return self._h2load(run)
        if name == "curl":
            return self._curl(run)
        if name == "go":
            command, environment = [str(self.go("client"))], None
        elif name == "rust-hyper":
            command, environment = [str(self.rust())], None
        else:
            command, environment = self._python(name)
        done = self.finish([*command, *run.arguments()], environment)
        record: Record = json.loads(done.stdout.splitlines()[-1])
        if name == "rust-hyper":
            record["version"] = self._hyper_version()
        return record

    def finish(self, command: list[str], environment: Mapping[str, str] | None = None) -> Finished:
        """Runs a command to its end on the client's core."""
        process = subprocess.Popen(
            [*self.pin, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        watch = _Watch(process)
        guard = threading.Timer(PATIENCE_S, process.kill)
        guard.start()
        try:
            assert process.stdout is not None and process.stderr is not None
            errors: list[str] = []
            drain = threading.Thread(target=lambda: errors.append(process.stderr.read()), daemon=True)  # type: ignore[union-attr]
            drain.start()
            output = process.stdout.read()
            drain.join()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.cpu_s += usage.ru_utime + usage.ru_stime
        finally:
            guard.cancel()
            watch.stop()
            process.stdout.close()  # type: ignore[union-attr]
            process.stderr.close()  # type: ignore[union-attr]
        if process.returncode == MISSING:
            raise ClientMissing(errors[0].strip())
        if process.returncode != 0:
            ended = f"{Path(command[0]).name} ended with {process.returncode}"
            raise RuntimeError(f"{ended}: {errors[0].strip()[-600:]}")
        if errors[0].strip():
            print(errors[0].strip()[-600:], file=sys.stderr)
        return Finished(output, usage.ru_utime + usage.ru_stime, watch.peak_rss_kib)

    # Clients that do not measure themselves.

    def _h2load(self, run: Run) -> Record:
        program = _installed("h2load", "nghttp2-client")
        log = self.cache / "h2load.log"
        log.unlink(missing_ok=True)
        command = [program, "-t1", f"-c{run.scenario.connections}", f"-D{run.seconds * 1000:.0f}ms"]
        command.append(f"-m{max(run.concurrency // run.scenario.connections, 1)}")
        if run.concurrency == 1:
            command.append(f"--log-file={log}")  # At full speed the log would be what is measured.
        done = self.finish([*command, run.url])
        requests, failed = (int(_find(rf"(\d+) {word}", done.stdout)) for word in ("succeeded", "failed"))
        bytes_ = int(_find(r"\((\d+)\) data", done.stdout))
        logged = log.read_text().splitlines() if log.exists() else []
        latencies = sorted(int(line.split("\t")[2]) for line in logged)
        return _record(
            "h2load",
            _version(program),
            run,
            requests=requests,
            errors=failed,
            seconds=run.seconds,
            cpu_s=done.cpu_s,
            peak_rss_kib=done.peak_rss_kib,
            moved=bytes_,
            latencies_us=latencies,
        )

    def _curl(self, run: Run) -> Record:
        program = _installed("curl", "curl")
        command = [program, "-s", "-S", "--fail", "-o", os.devnull, "-w", "%{json}"]
        command += ["--cacert", str(run.servers.certificates.ca)]
        command += ["--http2" if run.url.startswith("https") else "--http2-prior-knowledge"]
        # The others' start-up is not counted; so curl's is measured with 100 bytes and taken off.
        start = self.finish([*command, f"{run.server.urls[0]}/100"])
        if run.scenario.mode == "upload":
            source = run.servers.root / "upload"
            if not source.exists():
                with open(source, "wb") as file:
                    file.truncate(run.scenario.size)
            command += ["-X", "POST", "-T", str(source), "-H", "Expect:"]
        done = self.finish([*command, run.url])
        facts = json.loads(done.stdout)
        moved = facts["size_upload"] if run.scenario.mode == "upload" else facts["size_download"]
        whole = moved == run.scenario.size and facts["http_version"] == "2"
        return _record(
            "curl",
            _version(program),
            run,
            requests=int(whole),
            errors=int(not whole),
            seconds=facts["time_total"] - facts["time_pretransfer"],
            cpu_s=done.cpu_s - start.cpu_s,
            peak_rss_kib=done.peak_rss_kib,
            moved=moved,
        )

    # Clients that are built or found.

    def go(self, program: str) -> Path:
        """The Go peer, `client` or `server`, built on first use."""

        def build() -> Path:
            source = HERE / "peers" / "go"
            target = self.cache / f"go-{program}"
            _build([_installed("go", "golang"), "build", "-o", str(target), f"./{program}"], source)
            return target

        return self._once(f"go-{program}", build)

    def rust(self) -> Path:
        """The Rust peer, built on first use in a copy, so that its lock file stays out of the tree."""

        def build() -> Path:
            copy = self.cache / "rust"
            shutil.copytree(HERE / "peers" / "rust", copy, dirs_exist_ok=True)
            _build([_installed("cargo", "cargo"), "build", "--release", "--quiet"], copy)
            return copy / "target" / "release" / "hyper-client"

        return self._once("rust", build)

    def _hyper_version(self) -> str:
        locked = (self.cache / "rust" / "Cargo.lock").read_text()
        return "hyper " + _find(r'name = "hyper"\nversion = "([^"]+)"', locked)

    def _python(self, name: str) -> tuple[list[str], dict[str, str]]:
        peers = HERE / "peers" / "python"
        paths = []
        flags: list[str] = []
        if name.startswith("deuterium"):
            variant = name.partition("-")[2]
            script = peers / "deuterium_peer.py"
            if variant == "pure":
                paths.append(str(self.pure()))
            elif self.source is not None:
                paths.append(str(self.source))
            flags = ["--variant", variant or "tasks"]
        else:
            base = name.removesuffix("-sync")
            script = peers / f"{base}_peer.py"
            if name.endswith("-sync"):
                flags = ["--variant", "sync"]
        if not script.exists():
            raise ClientMissing(f"{name} has no script")
        return [sys.executable, str(script), *flags], {"PYTHONPATH": os.pathsep.join(paths)}

    def pure(self) -> Path:
        """A copy of the package without its compiled modules."""

        def copy() -> Path:
            found = (self.source or _installed_package()) / "deuterium"
            if not found.is_dir():
                raise ClientMissing("deuterium is not installed")
            target = self.cache / "pure"
            shutil.rmtree(target, ignore_errors=True)
            compiled = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__")
            shutil.copytree(found, target / "deuterium", ignore=compiled)
            return target

        return self._once("pure", copy)

    def _once(self, key: str, make: Callable[[], Path]) -> Path:
        if key not in self._built:
            try:
                self._built[key] = make()
            except ClientMissing as missing:
                self._built[key] = missing
        made = self._built[key]
        if isinstance(made, ClientMissing):
            raise made
        return made


class _Watch:
    """Reads a process's VmHWM every 20 ms: ru_maxrss would also remember the process that started it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.peak_rss_kib = 0
        self._status = Path(f"/proc/{process.pid}/status")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.02):
            try:
                found = re.search(r"VmHWM:\s+(\d+)", self._status.read_text())
            except OSError:
                return
            if found:
                # The last reading: the first ones may be of taskset, before it became the client.
                self.peak_rss_kib = int(found[1])

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


def _record(
    client: str,
    version: str,
    run: Run,
    *,
    requests: int,
    errors: int,
    seconds: float,
    cpu_s: float,
    peak_rss_kib: int,
    moved: int,
    latencies_us: Sequence[int] = (),
) -> Record:
    return {
        "client": client,
        "version": version,
        "scenario": run.scenario.name,
        "requests": requests,
        "errors": errors,
        "seconds": seconds,
        "rps": requests / seconds,
        "p50_us": latencies_us[len(latencies_us) // 2] if latencies_us else None,
        "p99_us": latencies_us[len(latencies_us) * 99 // 100] if latencies_us else None,
        "cpu_us_per_request": cpu_s * 1e6 / max(requests, 1),
        "peak_rss_kib": peak_rss_kib,
        "bytes": moved,
        "mb_per_s": moved / 1e6 / seconds,
        "cpu_s": cpu_s,
    }


def _installed(program: str, package: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise ClientMissing(f"{program} is not installed (Debian: {package})")
    return found


def _installed_package() -> Path:
    found = importlib.util.find_spec("deuterium")
    if found is None or found.origin is None:
        raise ClientMissing("deuterium is not installed")
    return Path(found.origin).parent.parent


def _build(command: list[str], directory: Path) -> None:
    print(f"building {directory.name} with {Path(command[0]).name}", file=sys.stderr)
    built = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if built.returncode != 0:
        raise ClientMissing(f"{Path(command[0]).name} build failed: {built.stderr.strip()[-600:]}")


def _version(program: str) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return _find(r"(\d+\.\d+[.\d]*)", said)


def _find(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"no {pattern!r} in {text!r}")
    return found[1]
