cimport cython
from deuterium._hpack cimport huffman, integers
from deuterium._hpack.dynamic_table cimport DynamicTable
from deuterium._http cimport field as fields
from deuterium._http.field cimport Field
from deuterium._http.field_section cimport FieldSection
from deuterium._memory cimport octets
from deuterium._memory.string_pool cimport StringPool

cdef Py_ssize_t DEFAULT_TABLE_SIZE, LINE_OVERHEAD, SCRATCH_BYTES

@cython.final
cdef class Decoder:
    cdef readonly DynamicTable table
    cdef StringPool strings  # or None
    cdef readonly Py_ssize_t limit
    cdef Py_ssize_t lowest_limit, position, octets
    cdef bint reduction_due
    cdef bytearray scratch
    cdef dict memo

    cpdef void set_limit(self, Py_ssize_t size) except *
    @cython.locals(
        block="const unsigned char *", position=Py_ssize_t, table=list, pairs=list, limit=Py_ssize_t, size=Py_ssize_t,
        octet="unsigned char", index=Py_ssize_t, field=Field
    )
    cpdef int decode(self, bytearray data, Py_ssize_t start, Py_ssize_t end, FieldSection section) except -1
    @cython.locals(block="const unsigned char *", updates=int, size=Py_ssize_t)
    cdef Py_ssize_t _size_updates(self, bytearray data, Py_ssize_t position, Py_ssize_t end) except -1
    @cython.locals(
        block="const unsigned char *", octet="unsigned char", prefix=int, index=Py_ssize_t, wanted=bint, named=Field,
        name=str, kind=int, name_octets=Py_ssize_t, value=str, field=Field, start=Py_ssize_t, stop=Py_ssize_t, key=bytes,
        known=Field
    )
    cdef Py_ssize_t _literal(
        self, bytearray data, Py_ssize_t position, Py_ssize_t end, FieldSection section
    ) except -1
    @cython.locals(
        block="const unsigned char *", first="unsigned char", length=Py_ssize_t, stop=Py_ssize_t, out=bytearray,
        text="const unsigned char *", coded=str
    )
    cdef str _string(self, bytearray data, Py_ssize_t position, Py_ssize_t end, bint wanted)
    @cython.locals(packed="long long")
    cdef Py_ssize_t _long_integer(
        self, bytearray data, Py_ssize_t position, Py_ssize_t end, Py_ssize_t prefix
    ) except -1
