"""Each fuzz target but HTTP/2, which has its own file: its corpus, random octets, and octets of the corpus spoilt."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HERE = Path(__file__).parent
TARGETS = {"hpack": 200, "http1": 200, "url": 200, "coding": 100, "connection": 20}  # examples of each kind
CORPUS = {target: sorted((HERE / "corpus" / target).glob("*")) for target in TARGETS}
FILES = [(target, file) for target, files in CORPUS.items() for file in files]


def program(target: str) -> Any:
    """The ``run`` of a target."""
    return importlib.import_module(f"fuzz.{target}_program").run


@pytest.mark.parametrize(("target", "file"), FILES, ids=lambda value: getattr(value, "name", value))
def test_input_of_the_corpus_still_holds(target: str, file: Path) -> None:
    program(target)(file.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_random_octets_end_in_a_result_or_an_error_of_ours(target: str) -> None:
    run = program(target)

    @settings(max_examples=TARGETS[target], deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.binary(max_size=300))
    def check(octets: bytes) -> None:
        run(octets)

    check()


@pytest.mark.parametrize("target", TARGETS)
def test_spoilt_inputs_of_the_corpus_end_in_a_result_or_an_error_of_ours(target: str) -> None:
    run = program(target)
    inputs = [file.read_bytes() for file in CORPUS[target]]

    @settings(max_examples=TARGETS[target], deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(inputs), st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 255)), max_size=4))
    def check(octets: bytes, changes: list[tuple[int, int]]) -> None:
        spoilt = bytearray(octets)
        for place, value in changes:
            spoilt[place % len(spoilt)] = value
        run(bytes(spoilt))

    check()
