cimport cython
from deuterium._http.field cimport Field

cdef Py_ssize_t FIRST_DYNAMIC_INDEX, CLEARED
cdef tuple STATIC_FIELDS

@cython.final
cdef class DynamicTable:
    cdef readonly list entries
    cdef readonly Py_ssize_t oldest, size, max_size
    cdef readonly long long changes

    @cython.locals(field=Field, place=Py_ssize_t)
    cpdef Field find(self, Py_ssize_t index)
    cpdef int insert(self, Field field) except -1
    cpdef int resize(self, Py_ssize_t max_size) except -1
    cpdef list dynamic_fields(self)
    @cython.locals(entries=list, oldest=Py_ssize_t, field=Field)
    cdef int _evict(self, Py_ssize_t size) except -1
