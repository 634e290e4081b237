cimport cython
from deuterium._http cimport field as fields
from deuterium._http.field cimport Field

cdef int STATUS, OTHER_PSEUDO, CONTENT_LENGTH, CONNECTION_SPECIFIC, MALFORMED

@cython.final
cdef class FieldSection:
    cdef public list pairs
    cdef public int kinds, status
    cdef public long long content_length
    cdef public Py_ssize_t size, limit
    cdef public bint overflow, trailers
    cdef public str error

    cpdef void begin(self, Py_ssize_t limit, bint trailers) except *
    cpdef void add(self, Field field) except *
    cpdef void finish(self) except *
    cdef void _store(self, Field field) except *
    @cython.locals(kind=int)
    cdef void _classified(self, Field field) except *
    cdef void _pseudo(self, Field field) except *
    cdef void _break(self, str rule) except *
