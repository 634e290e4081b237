"""The ``deuterium`` command as a user runs it, against real servers."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from servers import Fleet, Server
from servers.content import body

COMMAND = (sys.executable, "-m", "deuterium")


def heed_interrupts() -> None:
    """A shell starts its background jobs with SIGINT ignored, which a child inherits; a terminal's user has it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def deuterium(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *arguments], input=stdin, capture_output=True, timeout=60, check=False)


def reach(server: Server, path: str) -> list[str]:
    """The URL, and the options it takes to speak HTTP/2 with this server."""
    options = ["--cacert", str(server.ca_file)] if server.scheme == "https" else ["--http2"]
    return [server.url(path), *options]


def assert_failed(run: subprocess.CompletedProcess[bytes], code: int, *words: str) -> None:
    """Nothing on standard output, one line on standard error, and the code."""
    message = run.stderr.decode()
    assert run.returncode == code, message
    assert run.stdout == b""
    assert message.startswith("deuterium: ") and message.count("\n") == 1 and "Traceback" not in message
    for word in words:
        assert word in message


@contextmanager
def peer(answer: bytes | None) -> Iterator[int]:
    """A port where one connection gets ``answer`` and is closed; None: it is held open in silence."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                if answer is None:
                    over.wait(30)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            thread.join(5)


# -- get ---------------------------------------------------------------------------------------------------------------


def test_get_from_every_server_writes_the_content(server: Server) -> None:
    run = deuterium("get", *reach(server, "/64k"))
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout == body("/64k")


def test_get_include_writes_status_and_fields_before_the_content(fleet: Fleet) -> None:
    run = deuterium("get", "-i", *reach(fleet.get("nghttpd"), "/100"))
    head, _, content = run.stdout.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/2 200 OK\r\n") and b"\r\ncontent-length: 100" in head
    assert content == body("/100")


def test_get_head_has_fields_and_no_content(fleet: Fleet) -> None:
    run = deuterium("get", "-i", "-X", "HEAD", *reach(fleet.get("nginx"), "/1m"))
    assert run.returncode == 0
    assert b"content-length: 1048576" in run.stdout and run.stdout.endswith(b"\r\n\r\n")


def test_get_verbose_tells_address_tls_certificate_request_response_and_times(fleet: Fleet) -> None:
    server = fleet.get("nghttpd")
    said = deuterium("get", "-v", *reach(server, "/100")).stderr.decode()
    for pattern in (
        rf"^\* connection to 127\.0\.0\.1 port {server.port}: new$",
        r"^\* TLS: TLSv1\.3, TLS_\w+, ALPN h2$",
        r"^\* certificate: subject .+; for localhost, 127\.0\.0\.1$",
        r"^\* certificate: issuer .+; expires .+ GMT$",
        r"^> GET /100 HTTP/2$",
        rf"^> host: 127\.0\.0\.1:{server.port}$",
        r"^> user-agent: deuterium/",
        r"^< HTTP/2 200 OK$",
        r"^< content-length: 100$",
        r"^\* time: connect [\d.]+ ms \(name, TCP, TLS\), first byte [\d.]+ ms, content [\d.]+ ms, total [\d.]+ ms$",
        r"^\* received: 100 bytes of content$",
    ):
        assert re.search(pattern, said, re.MULTILINE), (pattern, said)


def test_get_verbose_insecure_names_the_certificate_by_its_hash(fleet: Fleet) -> None:
    run = deuterium("get", "-v", "-k", fleet.get("nghttpd").url("/100"))
    assert run.returncode == 0
    assert re.search(rb"^\* certificate: not verified, SHA-256 [0-9a-f]{64}$", run.stderr, re.MULTILINE)


def test_get_trace_lists_the_frames_of_both_ways_in_order(fleet: Fleet) -> None:
    said = deuterium("get", "--trace", *reach(fleet.get("nghttpd"), "/100")).stderr.decode()
    line = re.compile(r"^ *[\d.]+ ms ([<>]) stream (\d+) +(\w+) +length (\d+) *(\S*)$", re.MULTILINE)
    frames = [(way, int(stream), kind, flags) for way, stream, kind, _, flags in line.findall(said)]
    assert len(frames) == said.count("\n")
    assert frames[0] == (">", 0, "SETTINGS", "")
    sent = frames.index((">", 1, "HEADERS", "END_STREAM|END_HEADERS"))
    answered = frames.index(("<", 1, "HEADERS", "END_HEADERS"))
    ended = frames.index(("<", 1, "DATA", "END_STREAM"))
    assert sent < answered < ended
    assert (">", 0, "SETTINGS", "ACK") in frames


def test_get_data_is_posted_and_comes_back(fleet: Fleet, tmp_path: Path) -> None:
    file = tmp_path / "upload"
    file.write_bytes(body("/1m"))
    server = fleet.get("granian")
    assert deuterium("get", *reach(server, "/echo"), "-d", "a=1", "-d", "b=2").stdout == b"a=1&b=2"
    assert deuterium("get", *reach(server, "/echo"), "-d", f"@{file}").stdout == body("/1m")
    assert deuterium("get", *reach(server, "/echo"), "-d", "@-", stdin=b"from a pipe").stdout == b"from a pipe"


def test_get_headers_and_method_reach_the_server(fleet: Fleet) -> None:
    run = deuterium(
        "get", *reach(fleet.get("hypercorn"), "/headers?q=1"), "-X", "put", "-H", "X-One: 1", "-H", "User-Agent: me"
    )
    seen = json.loads(run.stdout)
    assert (seen["method"], seen["query_string"]) == ("PUT", "q=1")
    assert ["x-one", "1"] in seen["headers"] and ["user-agent", "me"] in seen["headers"]


def test_get_http1_speaks_http1(fleet: Fleet) -> None:
    server = fleet.get("nginx")
    run = deuterium("get", "-v", "--http1", server.url("/100"), "--cacert", str(server.ca_file))
    assert run.stdout == body("/100")
    assert b"< HTTP/1.1 200 OK\n" in run.stderr and b"ALPN http/1.1" in run.stderr


def test_get_output_file_appears_whole(fleet: Fleet, tmp_path: Path) -> None:
    file = tmp_path / "ten"
    run = deuterium("get", *reach(fleet.get("nginx"), "/10m"), "-o", str(file))
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")
    assert file.read_bytes() == body("/10m")


def test_get_output_of_a_response_cut_short_leaves_no_file(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf"
    with peer(answer) as port:
        run = deuterium("get", f"http://127.0.0.1:{port}/", "-o", str(tmp_path / "file"))
    assert run.returncode in (16, 56), run.stderr
    assert os.listdir(tmp_path) == []


def test_get_output_into_a_missing_folder_is_code_23(fleet: Fleet, tmp_path: Path) -> None:
    run = deuterium("get", *reach(fleet.get("nghttpd"), "/100"), "-o", str(tmp_path / "no" / "file"))
    assert_failed(run, 23, "cannot write")


def on_a_terminal(*arguments: str) -> tuple[int, bytes]:
    """The exit code, and what a terminal shows as standard output and error."""
    master, slave = pty.openpty()
    process = subprocess.Popen([*COMMAND, *arguments], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave)
    os.close(slave)
    shown = b""
    try:
        while piece := os.read(master, 65536):
            shown += piece
    except OSError:  # Linux: the last user of the terminal is gone
        pass
    finally:
        os.close(master)
    return process.wait(30), shown


def test_get_binary_content_is_kept_from_a_terminal_unless_asked_for(fleet: Fleet) -> None:
    server = fleet.get("nghttpd")
    assert b"\0" in body("/64k")
    code, shown = on_a_terminal("get", *reach(server, "/64k"))
    assert code == 23 and b"binary" in shown and len(shown) < 500
    code, shown = on_a_terminal("get", *reach(server, "/64k"), "-o", "-")
    assert code == 0 and len(shown) >= 65536


def test_get_output_file_on_a_terminal_shows_a_bar(fleet: Fleet, tmp_path: Path) -> None:
    code, shown = on_a_terminal("get", *reach(fleet.get("nginx"), "/10m"), "-o", str(tmp_path / "ten"))
    assert code == 0 and b"10.5/10.5 MB" in shown


def test_get_fail_with_404_is_code_22_and_without_it_0(fleet: Fleet) -> None:
    server = fleet.get("granian")
    run = deuterium("get", *reach(server, "/status/404"))
    assert (run.returncode, run.stdout) == (0, b"status 404")
    assert_failed(deuterium("get", "--fail", *reach(server, "/status/404")), 22, "404 Not Found")
    assert deuterium("get", "--fail", *reach(server, "/status/399")).returncode == 0


def test_get_location_follows_the_redirect_and_tells_both_answers(fleet: Fleet) -> None:
    server = fleet.get("nginx")
    target = server.url("/100")
    moved = f"HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 5\r\n\r\nthere".encode()
    with peer(moved) as port:
        run = deuterium("get", f"http://127.0.0.1:{port}/")
        assert (run.returncode, run.stdout) == (0, b"there")
    with peer(moved) as port:
        run = deuterium("get", "-L", "-v", f"http://127.0.0.1:{port}/", "--cacert", str(server.ca_file))
    assert (run.returncode, run.stdout) == (0, body("/100")), run.stderr
    assert run.stderr.index(b"< HTTP/1.1 302 Found") < run.stderr.index(b"< HTTP/2 200 OK")


def test_get_from_a_port_nobody_listens_on_is_code_7() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert_failed(deuterium("get", f"http://127.0.0.1:{port}/"), 7, str(port))


def test_get_with_an_authority_that_is_not_trusted_is_code_60(fleet: Fleet) -> None:
    assert_failed(deuterium("get", fleet.get("nghttpd").url("/")), 60, "TLS handshake")


def test_get_tls_from_a_server_without_it_is_code_35(fleet: Fleet) -> None:
    server = fleet.get("nginx", tls=False)
    assert_failed(deuterium("get", f"https://127.0.0.1:{server.port}/"), 35)


def test_get_from_a_peer_that_breaks_the_protocol_is_code_16() -> None:
    settings = bytes.fromhex("000000 04 00 00000000")
    with peer(settings + bytes.fromhex("000001 06 00 00000000 00")) as port:  # PING of one octet
        assert_failed(deuterium("get", "--http2", f"http://127.0.0.1:{port}/"), 16)


def test_get_from_a_silent_peer_is_code_28_by_either_limit() -> None:
    for limit in ("--timeout", "--max-time"):
        with peer(None) as port:
            began = time.monotonic()
            run = deuterium("get", "--http2", f"http://127.0.0.1:{port}/", limit, "0.3")
            assert_failed(run, 28, "timed out")
            assert time.monotonic() - began < 10


def test_get_timeout_zero_waits_as_long_as_it_takes(fleet: Fleet) -> None:
    run = deuterium("get", *reach(fleet.get("granian"), "/slow/0.3"), "--timeout", "0")
    assert (run.returncode, run.stdout) == (0, b"at last")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ftp://localhost/"], 1),
        (["http://a b/"], 3),
        (["http://localhost/", "-H", "no colon"], 2),
        (["http://localhost/", "-d", "@nowhere"], 26),
        (["https://localhost/", "--cacert", __file__], 35),
        (["http://localhost/", "-X", "B AD"], 16),
    ],
)
def test_get_with_what_cannot_be_sent_fails_before_it_connects(arguments: list[str], code: int) -> None:
    assert_failed(deuterium("get", *arguments), code)


@pytest.mark.parametrize(
    "arguments", [["get"], ["get", "http://x/", "--nope"], ["no-such-command"], ["load", "http://x/", "-n0"]]
)
def test_command_used_wrongly_is_code_2(arguments: list[str]) -> None:
    run = deuterium(*arguments)
    assert run.returncode == 2 and b"Error: " in run.stderr and run.stdout == b""


def test_get_interrupted_is_code_130(fleet: Fleet) -> None:
    with peer(None) as port:
        process = subprocess.Popen(
            [*COMMAND, "get", "--trace", "--http2", f"http://127.0.0.1:{port}/"],
            stderr=subprocess.PIPE,
            preexec_fn=heed_interrupts,  # noqa: PLW1509  # it only sets a signal
        )
        assert process.stderr is not None
        while b"HEADERS" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(10) == 130
    assert rest.endswith(b"deuterium: interrupted\n") and b"Traceback" not in rest


def test_get_into_a_pipe_that_closes_ends_quietly(fleet: Fleet) -> None:
    process = subprocess.Popen(
        [*COMMAND, "get", *reach(fleet.get("nginx"), "/10m")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(10) == 23


def test_version_is_the_package_s() -> None:
    run = deuterium("--version")
    assert (run.returncode, run.stdout) == (0, b"deuterium 0.1.0\n")


def test_command_without_click_says_how_to_install_it() -> None:
    program = "import sys; sys.modules['click'] = None; from deuterium.cli import main; sys.exit(main(['--version']))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert run.returncode == 1
    assert run.stderr == b"deuterium: the command needs click: pip install 'deuterium[cli]'\n"


# -- load --------------------------------------------------------------------------------------------------------------


def measured(*arguments: str) -> dict[str, object]:
    run = deuterium("load", "--json", *arguments)
    assert run.returncode == 0, run.stderr
    facts: dict[str, object] = json.loads(run.stdout)
    return facts


@pytest.mark.parametrize("loop", ["--uvloop", "--no-uvloop"])
def test_load_counts_responses_bytes_statuses_and_connections(fleet: Fleet, loop: str) -> None:
    facts = measured(*reach(fleet.get("nghttpd"), "/100"), "-n", "1003", "-c", "4", "-m", "10", loop)
    assert facts["responses"] == 1003
    assert facts["content_bytes"] == 100_300
    assert facts["statuses"] == {"200": 1003}
    assert facts["errors"] == {}
    assert (facts["connections"], facts["protocols"]) == (4, {"HTTP/2": 4})
    assert facts["event_loop"] == {"--uvloop": "uvloop", "--no-uvloop": "asyncio"}[loop]
    latency = facts["latency_ms"]
    assert isinstance(latency, dict)
    ordered = [latency[name] for name in ("p50", "p90", "p99", "p99.9", "max")]
    assert ordered == sorted(ordered) and ordered[0] > 0


def test_load_of_fewer_requests_than_connections_uses_only_as_many(fleet: Fleet) -> None:
    facts = measured(*reach(fleet.get("nghttpd", tls=False), "/100"), "-n", "3", "-c", "8")
    assert (facts["responses"], facts["connections"]) == (3, 3)


def test_load_over_http1_has_one_request_at_a_time_on_each_connection(fleet: Fleet) -> None:
    server = fleet.get("nginx")
    facts = measured(server.url("/100"), "--cacert", str(server.ca_file), "--http1", "-n", "200", "-c", "2", "-m", "50")
    assert (facts["responses"], facts["protocols"]) == (200, {"HTTP/1.1": 2})
    assert facts["streams_per_connection"] == 1


def test_load_through_goaway_counts_every_connection_it_needed(fleet: Fleet) -> None:
    with fleet.run("nginx", keepalive_requests=100) as server:
        facts = measured(*reach(server, "/100"), "-n", "1000", "-m", "1")
    assert facts["responses"] == 1000
    assert facts["connections"] == 10


def test_load_posts_data(fleet: Fleet) -> None:
    facts = measured(*reach(fleet.get("granian"), "/echo"), "-d", "12345", "-n", "100", "-m", "10")
    assert (facts["responses"], facts["content_bytes"]) == (100, 500)


def test_load_duration_stops_in_time(fleet: Fleet) -> None:
    facts = measured(*reach(fleet.get("nghttpd"), "/100"), "--duration", "0.5")
    seconds = facts["seconds"]
    assert isinstance(seconds, float) and 0.5 <= seconds < 3
    assert facts["stopped_early"] is False


def test_load_prints_a_table(fleet: Fleet) -> None:
    run = deuterium("load", *reach(fleet.get("nghttpd"), "/100"), "-n", "100")
    assert run.returncode == 0
    for words in (b"requests/s", b"latency p99.9", b"200: 100", b"1 x HTTP/2, 100 requests at a time", b"client CPU"):
        assert words in run.stdout


def test_load_on_a_terminal_shows_progress(fleet: Fleet) -> None:
    code, shown = on_a_terminal("load", *reach(fleet.get("nghttpd"), "/100"), "--duration", "0.7")
    assert code == 0 and b"responses, " in shown and b"0 errors" in shown


def test_load_interrupted_prints_what_was_measured_and_is_code_130(fleet: Fleet) -> None:
    process = subprocess.Popen(
        [*COMMAND, "load", *reach(fleet.get("nghttpd"), "/100"), "--duration", "60", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heed_interrupts,  # noqa: PLW1509  # it only sets a signal
    )
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=15)
    facts = json.loads(out)
    assert (process.returncode, err) == (130, b"")
    assert facts["stopped_early"] is True and facts["responses"] > 0 and facts["errors"] == {}


def test_load_of_errors_counts_them_by_kind_and_is_code_1(fleet: Fleet) -> None:
    server = fleet.get("granian")
    run = deuterium("load", *reach(server, "/slow/1"), "-n", "3", "--timeout", "0.3", "--json")
    facts = json.loads(run.stdout)
    assert run.returncode == 28
    assert facts["errors"]["ReadTimeout"]["count"] == 3


def test_load_of_a_port_nobody_listens_on_gives_up_and_is_code_7() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    run = deuterium("load", f"http://127.0.0.1:{port}/", "--http2", "-n", "100000", "-c", "2", "--json")
    facts = json.loads(run.stdout)
    assert run.returncode == 7
    assert facts["responses"] == 0 and facts["errors"]["ConnectError"]["count"] == 2


def test_load_statuses_are_counted_apart(fleet: Fleet) -> None:
    facts = measured(*reach(fleet.get("granian"), "/status/503"), "-n", "20")
    assert facts["statuses"] == {"503": 20}
