cimport cython
from .receive_buffer cimport ReceiveBuffer

cdef Py_ssize_t HEADER
cdef Py_ssize_t LONGEST

@cython.final
cdef class TlsInput:
    cdef public Py_ssize_t whole
    cdef object _write
    cdef bint _follows
    cdef Py_ssize_t _left
    cdef Py_ssize_t _known
    cdef Py_ssize_t _size
    cpdef void take(self, ReceiveBuffer received) except *
    cpdef void feed(self, object octets) except *
    @cython.locals(at=Py_ssize_t, octet=Py_ssize_t)
    cdef void _follow(self, bytearray data, Py_ssize_t start, Py_ssize_t end) except *
