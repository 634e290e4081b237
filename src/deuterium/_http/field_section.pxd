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

    cpdef int begin(self, Py_ssize_t limit, bint trailers) except -1
    cpdef int add(self, Field field) except -1
    cpdef int finish(self) except -1
    cdef int _store(self, Field field) except -1
    @cython.locals(kind=int)
    cdef int _classified(self, Field field) except -1
    cdef int _pseudo(self, Field field) except -1
    cdef int _break(self, str rule) except -1
