"""What a field block costs to decode and to encode, beside libnghttp2 (C), jh2 (Rust) and hpack (Python).

    python bench/micro/hpack_blocks.py [--rounds 30] [--json]

Nanoseconds per block, the best round; ours with a new FieldSection and its finish. Each library is called as its
users call it: ours from C, by hpack_loop.pyx, as the engine does, and in a second column from Python, which is three
calls more; libnghttp2 from C; the others from Python. "values new" goes through 256 blocks in turn, more than any cache
of ours keeps.
libnghttp2 is measured by the C program beside this file, if there is a compiler and its header; the others if they
are installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deuterium._hpack import decoder as decoder_module
from deuterium._hpack.decoder import Decoder
from deuterium._hpack.encoder import Encoder
from deuterium._http.field_section import FieldSection
from deuterium._memory.string_pool import StringPool

COMPILED = not decoder_module.__file__.endswith((".py", ".pyc"))
LIMIT = 256 * 1024
LOOPS = 2048
PATH = "/api/v1/items/000042"
COMMON = (("user-agent", "deuterium/0.1"), ("accept", "*/*"), ("accept-encoding", "gzip, deflate, br"))
REQUEST = [
    (":method", "GET"),
    (":scheme", "https"),
    (":authority", "www.example.org"),
    (":path", PATH),
    *COMMON,
]
NINE = [
    (":status", "200"),
    ("server", "nginx/1.22.1"),
    ("content-type", "application/json"),
    ("cache-control", "public, max-age=3600"),
    ("vary", "accept-encoding"),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("strict-transport-security", "max-age=31536000"),
    ("via", "1.1 edge"),
]
# Nine fields, every value Huffman-coded and every field inserted: 144 octets of a first response.
COLD = bytes.fromhex(
    "488210197689aa6355e580ae212e1f6196df697e940b6a693f7502fbed2807ae0457190a98b46f5f92497ca589d34d1f6a1271d882"
    "a60b532acf7f6c97d07abe940b4a693f7502fbed28115c69bb82714c5a37ff628cfe5b9598d670438c2f91dfe7588faed8e8313e94"
    "a47e561cc58197000f4085f2b10649cb8fc7937a92d87a542c93156741f4a47f7b8419085ad3"
)
# What a page of today sends when the connection is warm: most of it indexed, four values new.
MIXED = [
    *NINE,
    ("date", "Tue, 15 Nov 1994 08:12:31 GMT"),
    ("content-length", "18342"),
    ("etag", '"5f3b-62ab19c7"'),
    ("age", "731"),
]


VARIED = 256


def first_response(number: int) -> bytes:
    """COLD with values of its own."""
    return Encoder().encode(
        [
            (":status", "200"),
            ("server", f"nginx/1.{number}.1"),
            ("date", f"Tue, 15 Nov 1994 08:{number % 60:02}:31 GMT"),
            ("content-type", f"application/v{number}+json"),
            ("cache-control", f"public, max-age={3600 + number}"),
            ("vary", f"accept-encoding, x-{number}"),
            ("x-frame-options", f"DENY{number}"),
            ("x-content-type-options", f"nosniff{number}"),
            ("strict-transport-security", f"max-age={31536000 + number}"),
            ("via", f"1.1 edge{number}"),
        ]
    )


def cases() -> dict[str, tuple[bytes, list[bytes]]]:
    """The blocks by name: (what makes the table warm, what is measured, in turn)."""
    warm = Encoder()
    # The literals are never inserted, as servers that know them to change send them.
    mixed = Encoder(sensitive=frozenset({"date", "content-length", "etag", "age"}))
    return {
        "decode 9 indexed fields": (warm.encode(NINE), [warm.encode(NINE)]),
        "decode 9 literals, inserted": (b"", [COLD]),
        "decode 9 literals, inserted, values new": (b"", [first_response(number) for number in range(VARIED)]),
        "decode 9 indexed fields, 4 literals": (mixed.encode(MIXED), [mixed.encode(MIXED)]),
    }


def native_loop(folder: str) -> Any:
    """hpack_loop.pyx, compiled into ``folder``; None without Cython, a compiler, or a compiled deuterium."""
    compiler = shutil.which("cc")
    if not COMPILED or compiler is None or importlib.util.find_spec("Cython") is None:
        return None
    source = str(Path(__file__).with_name("hpack_loop.pyx"))
    written = str(Path(folder) / "hpack_loop.c")
    module = str(Path(folder) / f"hpack_loop{sysconfig.get_config_var('EXT_SUFFIX')}")
    headers = str(Path(decoder_module.__file__).parents[2])
    steps = (
        [sys.executable, "-m", "cython", "-3", "-I", headers, source, "-o", written],
        [compiler, "-O3", "-fPIC", "-shared", "-w", f"-I{sysconfig.get_path('include')}", written, "-o", module],
    )
    if any(subprocess.run(step, check=False, stdout=sys.stderr).returncode for step in steps):
        return None
    spec = importlib.util.spec_from_file_location("hpack_loop", module)
    assert spec is not None
    assert spec.loader is not None
    loop = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loop)
    return loop


def native_decode(loop: Any, warm: bytes, octets: list[bytes], strings: StringPool | None, rounds: int) -> float | None:
    """Nanoseconds per block, called from C."""
    if loop is None:
        return None
    decoder = Decoder(4096, strings)
    section = FieldSection()
    section.begin(LIMIT, False)
    decoder.decode(bytearray(warm), 0, len(warm), section)
    blocks = [bytearray(block) for block in octets]
    best = float("inf")
    for _ in range(rounds + 1):  # the first makes it warm
        start = time.perf_counter_ns()
        loop.decode(decoder, blocks, section, LIMIT, LOOPS)
        best = min(best, (time.perf_counter_ns() - start) / LOOPS)
    assert not section.error
    assert section.status > 0
    return round(best, 1)


def best_ns(work: Callable[[], object], rounds: int) -> float:
    count = 1
    while True:
        start = time.perf_counter_ns()
        for _ in range(count):
            work()
        if time.perf_counter_ns() - start > 2_000_000:
            break
        count *= 2
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter_ns()
        for _ in range(count):
            work()
        best = min(best, (time.perf_counter_ns() - start) / count)
    return round(best, 1)


def ours_decode(warm: bytes, octets: list[bytes], strings: StringPool | None) -> Callable[[], object]:
    decoder = Decoder(4096, strings)
    blocks = [bytearray(block) for block in octets]
    section = FieldSection()
    begin, decode, finish = section.begin, decoder.decode, section.finish
    begin(LIMIT, False)
    decode(bytearray(warm), 0, len(warm), section)
    block = blocks[0]
    end = len(block)
    turn = itertools.cycle(blocks).__next__

    def work() -> None:
        begin(LIMIT, False)
        decode(block, 0, end, section)
        finish()

    def work_in_turn() -> None:
        begin(LIMIT, False)
        block = turn()
        decode(block, 0, len(block), section)
        finish()

    work()
    assert not section.error
    assert section.status > 0
    return work if len(blocks) == 1 else work_in_turn


def varied_request(number: int) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A path and fields that no request had before; hpack_blocks.c has the same."""
    words = number * 2654435761 % 2**32, number * 2246822519 % 2**32, number * 3266489917 % 2**32
    return f"/api/v1/items/{number * 7919:06}?page={number}", (
        ("cookie", f"session={words[0]:016x}; theme=dark"),
        ("content-length", f"{1000 + number * 37}"),
        ("x-request-id", f"{words[1]:08x}-0d1b-4d7c-9f43-{words[2]:012x}"),
    )


def ours_encode(varied: bool) -> Callable[[], object]:
    encode = Encoder().encode_request
    turn = itertools.cycle([varied_request(number) for number in range(VARIED)]).__next__

    def work() -> object:
        return encode("GET", "https", "www.example.org", PATH, COMMON, ())

    def work_in_turn() -> object:
        path, extra = turn()
        return encode("GET", "https", "www.example.org", path, COMMON, extra)

    return work_in_turn if varied else work


Work = Callable[[], object]


def others() -> dict[str, tuple[Callable[[bytes, list[bytes]], Work], Callable[[bool], Work]]]:
    found: dict[str, tuple[Callable[[bytes, list[bytes]], Work], Callable[[bool], Work]]] = {}
    for name, module in (("jh2", "jh2._hazmat"), ("hpack", "hpack")):
        if importlib.util.find_spec(name) is None:
            continue
        codec = importlib.import_module(module)

        def decode(warm: bytes, blocks: list[bytes], codec: object = codec) -> Work:
            decoder = codec.Decoder()  # type: ignore[attr-defined]
            if warm:
                decoder.decode(warm)
            turn = itertools.cycle(blocks).__next__
            return lambda: decoder.decode(turn())

        def encode(varied: bool, codec: object = codec) -> Work:
            encoder = codec.Encoder()  # type: ignore[attr-defined]
            requests = [REQUEST]
            if varied:
                requests = []
                for number in range(VARIED):
                    path, extra = varied_request(number)
                    requests.append([*REQUEST[:3], (":path", path), *COMMON, *extra])
            turn = itertools.cycle([[(a.encode(), b.encode(), False) for a, b in request] for request in requests])
            return lambda: encoder.encode(next(turn))

        found[name] = (decode, encode)
    return found


ENCODED = {"encode a repeated request": "repeat", "encode a request, path and 3 values new": "vary"}


def nghttp2(rounds: int, blocks: dict[str, tuple[bytes, list[bytes]]]) -> dict[str, float]:
    compiler = shutil.which("cc")
    if compiler is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        program = str(Path(folder) / "hpack_blocks")
        source = str(Path(__file__).with_suffix(".c"))
        built = subprocess.run([compiler, "-O3", source, "-o", program, "-lnghttp2"], check=False, stderr=sys.stderr)
        if built.returncode:
            return {}

        def run(*arguments: str) -> float:
            return float(subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout)

        figures = {
            name: run("decode", "2048", str(rounds), warm.hex(), *(block.hex() for block in octets))
            for name, (warm, octets) in blocks.items()
        }
        figures.update({name: run(verb, "2048", str(rounds)) for name, verb in ENCODED.items()})
        return figures


def measure(rounds: int) -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder:
        return measured(rounds, native_loop(folder))


def measured(rounds: int, loop: Any) -> list[dict[str, object]]:
    blocks = cases()
    native = nghttp2(rounds, blocks)
    libraries = others()
    rows: list[dict[str, object]] = []
    for name, (warm, octets) in blocks.items():
        row: dict[str, object] = {"work": name, "octets": len(octets[0])}
        row["deuterium_ns"] = native_decode(loop, warm, octets, None, rounds)
        row["with_string_pool_ns"] = native_decode(loop, warm, octets, StringPool(), rounds)
        row["from_python_ns"] = best_ns(ours_decode(warm, octets, None), rounds)
        row["pool_from_python_ns"] = best_ns(ours_decode(warm, octets, StringPool()), rounds)
        row["nghttp2_ns"] = native.get(name)
        for library, (decode, _) in libraries.items():
            row[f"{library}_ns"] = best_ns(decode(warm, octets), rounds)
        rows.append(row)
    for name, verb in ENCODED.items():
        encode = ours_encode(verb == "vary")
        encode(), encode()
        block = encode()
        assert isinstance(block, bytes)
        row = {"work": name, "octets": len(block)}
        row["deuterium_ns"] = row["with_string_pool_ns"] = row["pool_from_python_ns"] = None
        row["from_python_ns"] = best_ns(encode, rounds)
        row["nghttp2_ns"] = native.get(name)
        for library, (_, encoding) in libraries.items():
            row[f"{library}_ns"] = best_ns(encoding(verb == "vary"), rounds)
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = measure(options.rounds)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    if options.json:
        print(json.dumps({"python": python, "compiled": COMPILED, "rows": rows}, indent=2))
        return
    print(f"{python}, {'compiled' if COMPILED else 'interpreted'}; ns per block")
    columns = [key for key in rows[0] if key != "work"]
    print(f"{'':44}" + "".join(f"{key.removesuffix('_ns'):>21}" for key in columns))
    for row in rows:
        print(f"{row['work']:44}" + "".join(f"{'-' if row[key] is None else row[key]:>21}" for key in columns))


if __name__ == "__main__":
    main()
