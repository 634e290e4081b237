cimport cython

cdef Py_ssize_t FIRST_DYNAMIC_INDEX, LINE_OVERHEAD

@cython.final
cdef class SearchTable:
    cdef object _entries
    cdef dict _pairs, _names
    cdef set _used_again
    cdef Py_ssize_t _inserted
    cdef readonly Py_ssize_t generation, max_size, size

    @cython.locals(number=object)
    cpdef Py_ssize_t find(self, tuple pair) except -1
    @cython.locals(number=object)
    cpdef Py_ssize_t find_name(self, str name) except -1
    cpdef bint repeats(self, str name) except -1
    @cython.locals(size=Py_ssize_t, name=str, value=str)
    cpdef void insert(self, tuple pair) except *
    cpdef void resize(self, Py_ssize_t max_size) except *
    @cython.locals(oldest=Py_ssize_t, pair=tuple, name=str, value=str)
    cdef int _evict(self, Py_ssize_t size) except -1
