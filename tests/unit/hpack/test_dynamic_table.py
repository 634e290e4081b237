"""The dynamic table against a list in which the newest entry comes first (RFC 7541 section 4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._hpack.dynamic_table import DynamicTable
from deuterium._hpack.errors import HpackError
from deuterium._hpack.static_table import STATIC_FIELDS
from deuterium._http.field import Field, make_field

STEPS = st.lists(st.one_of(st.integers(0, 120), st.tuples(st.sampled_from([0, 33, 64, 200, 4096]))), max_size=300)


@given(STEPS)
@pytest.mark.rfc("7541", "4.4")
def test_table_is_what_a_list_with_the_newest_first_would_be(steps: list[int | tuple[int]]) -> None:
    table = DynamicTable(200)
    model: list[Field] = []
    for step in steps:
        limit = table.max_size
        if isinstance(step, tuple):
            (limit,) = step
            table.resize(limit)
        else:
            field = make_field("n", "v" * step)
            table.insert(field)
            model.insert(0, field)
        while sum(field.size for field in model) > limit:
            model.pop()
        assert table.dynamic_fields() == model
        assert table.size == sum(field.size for field in model)
        for index, field in enumerate(model, 62):
            assert table.find(index) is field
        with pytest.raises(HpackError, match="there is no index"):
            table.find(62 + len(model))


def test_evicted_entries_are_let_go_at_once_and_their_places_in_the_end() -> None:
    table = DynamicTable(10 * 34)
    for number in range(10_000):
        table.insert(make_field("n", str(number % 10)))
        assert sum(entry is not None for entry in table.entries) <= 10
        assert len(table.entries) <= 80


@pytest.mark.rfc("7541", "2.3.3")
def test_index_of_the_static_table_is_its_field_and_zero_is_none() -> None:
    table = DynamicTable(4096)
    assert [table.find(index) for index in range(1, 62)] == list(STATIC_FIELDS[1:])
    for index in (0, -1, 62, 1 << 30):
        with pytest.raises(HpackError, match="there is no index"):
            table.find(index)
