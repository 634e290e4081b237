"""The generated tables are what the generator writes, and what others have."""

import importlib.util
from pathlib import Path

import pytest
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.table import HeaderTable

from deuterium._hpack import tables
from deuterium._hpack.static_table import FIRST_DYNAMIC_INDEX, INDEX_OF_NAME, INDEX_OF_PAIR, STATIC_FIELDS

ROOT = Path(__file__).parents[3]


def test_tables_in_the_tree_are_what_the_generator_writes():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "tools" / "generate_hpack_tables.py")
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    assert generator.TARGET.read_text(encoding="ascii") == generator.render()


@pytest.mark.rfc("7541", "B")
def test_huffman_code_is_that_of_hpack():
    assert tuple(REQUEST_CODES) == tables.HUFFMAN_CODES
    assert tuple(REQUEST_CODES_LENGTH) == tables.HUFFMAN_LENGTHS


@pytest.mark.rfc("7541", "A")
def test_static_table_is_that_of_hpack():
    assert [(name.decode(), value.decode()) for name, value in HeaderTable.STATIC_TABLE] == list(tables.STATIC_TABLE)


def test_static_table_index_is_found_by_pair_and_by_name():
    assert FIRST_DYNAMIC_INDEX == 62
    assert INDEX_OF_PAIR[(":method", "POST")] == 3
    assert INDEX_OF_PAIR[("www-authenticate", "")] == 61
    assert INDEX_OF_NAME[":status"] == 8
    for pair, index in INDEX_OF_PAIR.items():
        assert STATIC_FIELDS[index].pair == pair
        assert INDEX_OF_NAME[pair[0]] <= index
