"""Frame lines of ``--trace``."""

from __future__ import annotations

import io

import pytest

from deuterium._http2.frames import flag_names, frame_name
from deuterium.cli.trace import FrameTrace


def test_trace_writes_time_direction_stream_kind_length_and_flags() -> None:
    out = io.StringIO()
    times = iter([10.0, 10.0015, 10.25])
    trace = FrameTrace(out, lambda: next(times))
    trace(True, 38, 0x1, 0x5, 1)
    trace(False, 8, 0x6, 0x0, 0)
    assert out.getvalue() == (
        "     1.500 ms > stream 1     HEADERS       length 38     END_STREAM|END_HEADERS\n"
        "   250.000 ms < stream 0     PING          length 8\n"
    )


@pytest.mark.parametrize(("kind", "name"), [(0x0, "DATA"), (0x9, "CONTINUATION"), (0xEE, "0xee")])
def test_frame_name_of_a_type_is_the_rfc_s_or_its_number(kind: int, name: str) -> None:
    assert frame_name(kind) == name


@pytest.mark.parametrize(
    ("kind", "flags", "names"),
    [
        (0x0, 0x9, "END_STREAM|PADDED"),
        (0x1, 0x2D, "END_STREAM|END_HEADERS|PADDED|PRIORITY"),
        (0x4, 0x1, "ACK"),
        (0x4, 0x0, ""),
        (0x8, 0x1, "0x1"),  # WINDOW_UPDATE defines none
        (0x0, 0xF1, "END_STREAM|0xf0"),
    ],
)
def test_flag_names_are_those_of_the_type_and_the_rest_a_number(kind: int, flags: int, names: str) -> None:
    assert flag_names(kind, flags) == names
