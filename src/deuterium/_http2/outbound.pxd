cimport cython
from .._memory cimport octets
from .._memory.buffer_pool cimport BufferPool, PooledBuffer

cdef Py_ssize_t SEGMENT, CONTENT_SEGMENT, FRAME_HEADER_LENGTH
cdef bytearray NOTHING
cdef bint COMPILED

@cython.final
cdef class Outbound:
    cdef BufferPool pool
    cdef public Py_ssize_t by_reference
    cdef PooledBuffer buffer
    cdef bytearray data
    cdef Py_ssize_t end
    cdef list segments
    cdef public object tap
    cdef readonly Py_ssize_t octets
    cpdef void frame(self, int kind, int flags, Py_ssize_t stream_id, bytes payload) except *
    @cython.locals(p="unsigned char *", at=Py_ssize_t)
    cpdef void frame_header(self, Py_ssize_t length, int kind, int flags, Py_ssize_t stream_id) except *
    @cython.locals(size=Py_ssize_t)
    cpdef void write(self, bytes payload) except *
    @cython.locals(size=Py_ssize_t, room=Py_ssize_t)
    cpdef void content(self, bytes piece, Py_ssize_t start, Py_ssize_t end) except *
    cpdef list take(self)
    @cython.locals(buffer=PooledBuffer)
    cdef void _lease(self, Py_ssize_t size) except *
    @cython.locals(buffer=PooledBuffer)
    cdef void _seal(self) except *
