cimport cython
from .._memory cimport octets

cdef extern from *:
    """
    static CYTHON_INLINE PyObject *deuterium_reserve(Py_ssize_t size) {
        return PyBytes_FromStringAndSize(NULL, size);
    }
    """
    bytes reserve "deuterium_reserve"(Py_ssize_t size)

cdef bint COMPILED
cdef long long MAX_RESERVED

@cython.final
cdef class Body:
    cdef readonly long long filled
    cdef bytes memory
    cdef list pieces
    @cython.locals(target="unsigned char *", source="const unsigned char *", size=Py_ssize_t)
    cpdef void append(self, bytearray data, Py_ssize_t start, Py_ssize_t end) except *
    @cython.locals(memory=bytes, pieces=list, size=Py_ssize_t)
    cpdef bytes finish(self)
