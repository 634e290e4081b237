cimport cython
from .._memory.buffer_pool cimport BufferPool, PooledBuffer

cdef Py_ssize_t CLEAR_READ, LARGE_READ, NORMAL_READ, SMALL_READ

@cython.final
cdef class ReceiveBuffer:
    cdef BufferPool pool
    cdef readonly PooledBuffer buffer
    cdef readonly Py_ssize_t start
    cdef readonly Py_ssize_t end
    cdef Py_ssize_t largest
    cpdef Py_ssize_t next_read(self, Py_ssize_t last_read)
    cpdef object space(self, Py_ssize_t wanted)
    cpdef object received(self)
    cpdef void commit(self, Py_ssize_t octets)
    cpdef void consume(self, Py_ssize_t position)
    @cython.locals(buffer=PooledBuffer)
    cpdef void release(self) except *
    cdef void _lease(self, Py_ssize_t wanted) except *
    @cython.locals(old=PooledBuffer, start=Py_ssize_t, rest=Py_ssize_t)
    cdef void _move(self, Py_ssize_t wanted) except *
