# cython: language_level=3
"""The loop of hpack_blocks.py in C, which is where the engine calls the decoder from."""

from deuterium._hpack.decoder cimport Decoder
from deuterium._http.field_section cimport FieldSection


def decode(Decoder decoder, list blocks, FieldSection section, Py_ssize_t limit, Py_ssize_t count):
    """Decode ``count`` blocks, those of ``blocks`` in turn."""
    cdef Py_ssize_t turns = len(blocks)
    cdef Py_ssize_t turn = 0
    cdef Py_ssize_t i
    cdef bytearray block
    for i in range(count):
        block = blocks[turn]
        turn += 1
        if turn == turns:
            turn = 0
        section.begin(limit, False)
        decoder.decode(block, 0, len(block), section)
        section.finish()
