cimport cython
from deuterium._hpack cimport huffman, integers
from deuterium._hpack.dynamic_table cimport DynamicTable
from deuterium._hpack.known_block cimport KnownBlock
from deuterium._http cimport field as fields
from deuterium._http cimport octet_class
from deuterium._http.field cimport Field
from deuterium._http.field_section cimport FieldSection
from deuterium._memory cimport octet_cache, octets, string_pool
from deuterium._memory.octet_cache cimport OctetCache
from deuterium._memory.string_pool cimport StringPool

cdef Py_ssize_t DEFAULT_TABLE_SIZE, LINE_OVERHEAD, SCRATCH_BYTES, STATIC_END, LITERAL_OCTETS, NAME_OCTETS, BLOCK_OCTETS
cdef tuple STATIC_FIELDS
cdef int BLOCKS, NEVER_INDEXED, INSERTED, OWN_FIELDS, OWN_NAMES, SP, HTAB, ILLEGAL, NOT_ASCII

@cython.final
cdef class Decoder:
    cdef readonly DynamicTable table
    cdef StringPool strings  # or None
    cdef OctetCache blocks, own, names  # or None
    cdef readonly Py_ssize_t limit
    cdef Py_ssize_t lowest_limit, position
    cdef bint reduction_due, illegal
    cdef bytearray scratch

    cpdef void set_limit(self, Py_ssize_t size) except *
    @cython.locals(
        block="const unsigned char *", position=Py_ssize_t, table=DynamicTable, entries=list, pairs=list,
        limit=Py_ssize_t, size=Py_ssize_t, octet="unsigned char", index=Py_ssize_t, oldest=Py_ssize_t, newest=Py_ssize_t,
        place=Py_ssize_t, field=Field, mark="unsigned long long", memorable=bint, known=KnownBlock, changes="long long"
    )
    cpdef int decode(self, bytearray data, Py_ssize_t start, Py_ssize_t end, FieldSection section) except -1
    @cython.locals(cache=OctetCache)
    cdef int _remember_block(
        self, const unsigned char *block, Py_ssize_t start, Py_ssize_t end, unsigned long long mark, KnownBlock known,
        FieldSection section
    ) except -1
    @cython.locals(updates=int, size=Py_ssize_t)
    cdef Py_ssize_t _size_updates(self, const unsigned char *block, Py_ssize_t position, Py_ssize_t end) except -1
    @cython.locals(
        octet="unsigned char", prefix=int, index=Py_ssize_t, named=Field, value=str,
        field=Field, start=Py_ssize_t, stop=Py_ssize_t, mark="unsigned long long", known=Field, shared=bint
    )
    cdef Py_ssize_t _literal(
        self, const unsigned char *block, Py_ssize_t position, Py_ssize_t end, FieldSection section
    ) except -1
    cdef Py_ssize_t _end_of_literal(
        self, const unsigned char *block, Py_ssize_t position, Py_ssize_t end, bint with_name
    ) except -1
    @cython.locals(known=Field)
    cdef Field _known(self, const unsigned char *block, Py_ssize_t start, Py_ssize_t stop, unsigned long long mark)
    cdef int _remember(
        self, const unsigned char *block, Py_ssize_t start, Py_ssize_t stop, unsigned long long mark, Field field, bint shared
    ) except -1
    @cython.locals(size=Py_ssize_t)
    cdef Py_ssize_t _count(
        self, const unsigned char *block, Py_ssize_t position, Py_ssize_t end, Py_ssize_t index, FieldSection section
    ) except -1
    @cython.locals(
        stop=Py_ssize_t, mark="unsigned long long", known=Field, name=str, named=Field
    )
    cdef Field _name(self, const unsigned char *block, Py_ssize_t position, Py_ssize_t end)
    @cython.locals(
        first="unsigned char", length=Py_ssize_t,
        stop=Py_ssize_t, room=bytearray, source="const unsigned char *",
        target="unsigned char *", coded=bytearray, text=str, classes=Py_ssize_t, before="unsigned char",
        behind="unsigned char"
    )
    cdef str _string(self, const unsigned char *block, Py_ssize_t position, Py_ssize_t end)
    @cython.locals(packed="long long")
    cdef Py_ssize_t _long_integer(
        self, const unsigned char *block, Py_ssize_t position, Py_ssize_t end, Py_ssize_t prefix
    ) except -1
