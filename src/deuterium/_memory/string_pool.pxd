cimport cython

from deuterium._memory.guard cimport Guard
from deuterium._memory.octet_cache cimport OctetCache

cdef Py_ssize_t SHORT
cdef Py_ssize_t MANY
cdef Py_ssize_t TOKEN
cdef frozenset REPEATING
cdef frozenset CHANGING
cdef tuple CHANGING_ENDINGS

cdef int ALL_VALUES, NO_VALUES, BY_VALUE
cdef Py_ssize_t KNOWN_NAMES, KNOWN_FIELDS

cpdef bint should_pool(str name, str value)
cpdef int sharing_of_name(str name) except -1
@cython.locals(digits=Py_ssize_t, run=Py_ssize_t, length=Py_ssize_t, octet=Py_UCS4)
cpdef bint is_shared(int sharing, str value)

@cython.final
cdef class StringPool:
    cdef Guard _guard
    cdef Py_ssize_t _half
    cdef Py_ssize_t _max_length
    cdef dict _young
    cdef dict _old
    cdef Py_ssize_t _hits
    cdef Py_ssize_t _misses
    cdef Py_ssize_t _refused
    cdef readonly OctetCache names, fields

    cpdef str name(self, str s)
    @cython.locals(found=str)
    cpdef str value(self, str name, str value)
    @cython.locals(shared=str, found=str)
    cpdef str share(self, str s, bint poolable)
    @cython.locals(shared=str, emptied=dict)
    cdef str _insert(self, str s)
    @cython.locals(hits=Py_ssize_t, misses=Py_ssize_t, refused=Py_ssize_t, size=Py_ssize_t)
    cpdef stats(self)
