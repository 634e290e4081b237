cimport cython

from deuterium._memory.guard cimport Guard

cdef class Poolable:
    cdef ObjectPool _pooled_by

    cpdef reset(self)

@cython.final
cdef class ObjectPool:
    cdef object _factory
    cdef Guard _guard
    cdef Py_ssize_t _bound
    cdef Py_ssize_t _count
    cdef list _places
    cdef Py_ssize_t _created
    cdef Py_ssize_t _reused
    cdef Py_ssize_t _dropped
    cdef Py_ssize_t _outstanding

    @cython.locals(count=Py_ssize_t, item=Poolable, guard=Guard)
    cpdef Poolable acquire(self)
    @cython.locals(count=Py_ssize_t, held=bint, guard=Guard)
    cpdef release(self, Poolable item)
    @cython.locals(created=Py_ssize_t, reused=Py_ssize_t, dropped=Py_ssize_t, outstanding=Py_ssize_t, free=Py_ssize_t, guard=Guard)
    cpdef stats(self)
