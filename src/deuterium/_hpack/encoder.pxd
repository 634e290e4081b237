cimport cython
from deuterium._hpack cimport huffman, integers
from deuterium._hpack.search_table cimport SearchTable
from deuterium._memory cimport octets

cdef Py_ssize_t DEFAULT_TABLE_SIZE, SCRATCH_BYTES, SCRATCH_LIMIT, STRING_OVERHEAD, LITERAL_OVERHEAD
cdef int INDEXED, INSERTED, SIZE_UPDATE, NEVER_INDEXED, NOT_INDEXED, PATH
cdef dict INDEX_OF_NAME, INDEX_OF_PAIR
cdef object UNREPEATED

@cython.final
cdef class Encoder:
    cdef readonly SearchTable table
    cdef readonly Py_ssize_t max_table_size
    cdef object sensitive
    cdef Py_ssize_t lowest_size, head_end, head_generation, tail_generation, block_generation
    cdef bint update_due
    cdef bytearray out
    cdef str method, scheme, authority, protocol, path
    cdef tuple common, extra
    cdef bytes common_octets, block

    cpdef void set_peer_limit(self, Py_ssize_t size) except *
    @cython.locals(table=SearchTable, position=Py_ssize_t, pair=tuple, block=bytes)
    cpdef bytes encode_request(
        self, str method, str scheme, str authority, str path, tuple common, tuple extra, str protocol=*
    )
    @cython.locals(position=Py_ssize_t, pair=tuple)
    cpdef bytes encode(self, object fields)
    @cython.locals(position=Py_ssize_t, updated=bint, generation=Py_ssize_t)
    cdef Py_ssize_t _head(self, str method, str scheme, str authority, str protocol) except -1
    cdef Py_ssize_t _path(self, Py_ssize_t position, str path) except -1
    @cython.locals(start=Py_ssize_t, generation=Py_ssize_t, pair=tuple)
    cdef Py_ssize_t _tail(self, Py_ssize_t position, tuple common) except -1
    @cython.locals(name=str, value=str, known=object, index=Py_ssize_t)
    cdef Py_ssize_t _field(self, Py_ssize_t position, tuple pair) except -1
    @cython.locals(known=object, index=Py_ssize_t)
    cdef Py_ssize_t _literal(self, Py_ssize_t position, int form, int prefix, str name, str value) except -1
    @cython.locals(data=bytes, size=Py_ssize_t, out=bytearray, stop=Py_ssize_t, coded=Py_ssize_t)
    cdef Py_ssize_t _string(self, Py_ssize_t position, str text) except -1
    @cython.locals(position=Py_ssize_t)
    cdef Py_ssize_t _size_updates(self) except -1
    @cython.locals(size=Py_ssize_t)
    cdef int _forget(self) except -1
    @cython.locals(size=Py_ssize_t)
    cdef Py_ssize_t _copy(self, Py_ssize_t position, bytes data) except -1
    cdef int _reserve(self, Py_ssize_t position, Py_ssize_t size) except -1
    cdef bytes _take(self, Py_ssize_t position)
