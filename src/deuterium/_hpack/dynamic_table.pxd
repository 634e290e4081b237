cimport cython
from deuterium._http.field cimport Field

cdef Py_ssize_t FIRST_DYNAMIC_INDEX
cdef tuple STATIC_FIELDS

@cython.final
cdef class DynamicTable:
    cdef readonly list fields
    cdef readonly Py_ssize_t size, max_size

    cpdef int insert(self, Field field) except -1
    cpdef int resize(self, Py_ssize_t max_size) except -1
    @cython.locals(fields=list, oldest=Field)
    cdef int _evict(self, Py_ssize_t size) except -1
