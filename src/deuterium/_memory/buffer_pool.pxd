cimport cython

from deuterium._memory cimport octets
from deuterium._memory.guard cimport Guard

cdef Py_ssize_t SMALL
cdef Py_ssize_t MEDIUM
cdef Py_ssize_t LARGE
cdef Py_ssize_t HUGE

@cython.final
cdef class PooledBuffer:
    cdef readonly bytearray data
    cdef readonly Py_ssize_t capacity
    cdef bint _lent
    cdef Py_ssize_t _references
    cdef Shelf _shelf
    cdef BufferPool _pool

    @cython.locals(pool=BufferPool, references=Py_ssize_t)
    cpdef retain(self)
    @cython.locals(pool=BufferPool, references=Py_ssize_t, data=bytearray)
    cpdef release(self)
    cpdef lend(self, Py_ssize_t start, Py_ssize_t end)
    cpdef bint is_lent(self)
    cpdef view(self, Py_ssize_t start=*, Py_ssize_t end=*)

@cython.final
cdef class Shelf:
    cdef Py_ssize_t size
    cdef Py_ssize_t bound
    cdef Py_ssize_t count
    cdef list places
    cdef Py_ssize_t waiting
    cdef list lingering
    cdef Py_ssize_t spare
    @cython.locals(left=Py_ssize_t)
    cdef void took_one(self) noexcept

cdef bint is_viewed(bytearray data)

@cython.final
cdef class BufferPool:
    cdef Guard _guard
    cdef bint _poison
    cdef Shelf _small
    cdef Shelf _medium
    cdef Shelf _large
    cdef Shelf _huge
    cdef Shelf _exact
    cdef Py_ssize_t _created
    cdef Py_ssize_t _reused
    cdef Py_ssize_t _dropped
    cdef Py_ssize_t _dropped_in_use
    cdef Py_ssize_t _outstanding
    cdef Py_ssize_t _bytes_created
    cdef Py_ssize_t _bytes_held

    @cython.locals(shelf=Shelf, capacity=Py_ssize_t, data=bytearray, buffer=PooledBuffer)
    cpdef PooledBuffer acquire(self, Py_ssize_t size)
    @cython.locals(shelf=Shelf, places=list, lingering=list)
    cpdef clear(self)
    @cython.locals(shelf=Shelf, surplus=list, left=Py_ssize_t)
    cpdef trim(self)
    @cython.locals(count=Py_ssize_t, data=bytearray, lingering=bytearray)
    cdef bytearray _reuse(self, Shelf shelf)
    @cython.locals(viewed=bint)
    cdef bytearray _reuse_lingering(self, bytearray data, Shelf shelf)
    @cython.locals(data=bytearray)
    cdef bytearray _create(self, Py_ssize_t capacity)
    @cython.locals(viewed=bint, whole=bint, count=Py_ssize_t)
    cdef _take_back(self, bytearray data, Shelf shelf, Py_ssize_t capacity)
    @cython.locals(small=Py_ssize_t, medium=Py_ssize_t, large=Py_ssize_t, huge=Py_ssize_t,
                   lingering=Py_ssize_t, created=Py_ssize_t,
                   reused=Py_ssize_t, dropped=Py_ssize_t, dropped_in_use=Py_ssize_t, outstanding=Py_ssize_t,
                   bytes_created=Py_ssize_t, bytes_held=Py_ssize_t)
    cpdef stats(self)
