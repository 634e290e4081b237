cimport cython
from deuterium._http.field cimport Field

cdef Py_ssize_t FIRST_DYNAMIC_INDEX
cdef tuple STATIC_FIELDS

@cython.final
cdef class DynamicTable:
    cdef readonly list fields
    cdef readonly Py_ssize_t size, max_size

    cpdef void insert(self, Field field) except *
    cpdef void resize(self, Py_ssize_t max_size) except *
    @cython.locals(fields=list, oldest=Field)
    cdef void _evict(self, Py_ssize_t size) except *
