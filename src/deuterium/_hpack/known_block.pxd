cimport cython
from deuterium._hpack.dynamic_table cimport DynamicTable
from deuterium._http.field_section cimport FieldSection

@cython.final
cdef class KnownBlock:
    cdef list pairs
    cdef long long changes, content_length
    cdef int kinds, status
    cdef Py_ssize_t size

    cdef int keep(self, FieldSection section, DynamicTable table) except -1
    cdef int recall(self, FieldSection section) except -1
