cimport cython

cdef Py_ssize_t SLOTS


cdef class RollingCounts:
    cdef readonly Py_ssize_t kinds
    cdef readonly double slot_s
    cdef readonly long long tick
    cdef readonly list slots, totals

    cpdef void add(self, Py_ssize_t kind, double now) except *
    cpdef void add_many(self, Py_ssize_t kind, Py_ssize_t count, double now) except *
    cpdef Py_ssize_t total(self, Py_ssize_t kind, double now) except -1
    @cython.locals(at=Py_ssize_t, kind=Py_ssize_t)
    cpdef void clear(self) except *
    @cython.locals(tick="long long", passed="long long", step="long long", start=Py_ssize_t, kind=Py_ssize_t)
    cpdef void advance(self, double now) except *
