cimport cython

from ._memory.guard cimport Guard

cdef bint COMPILED

@cython.final
cdef class Origin:
    cdef readonly str scheme
    cdef readonly str host
    cdef readonly int port
    cdef readonly str authority
    cdef readonly str key
    cdef readonly str server_name

@cython.final
cdef class UrlCache:
    cdef Guard _guard
    cdef dict _origins
    cdef dict _targets
    cpdef tuple split(self, str url)
    cdef tuple _split(self, str url)
    cdef object _origin(self, str prefix, Py_ssize_t after_scheme)
