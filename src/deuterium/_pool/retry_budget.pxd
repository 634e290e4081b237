cimport cython

from deuterium._memory.guard cimport Guard
from deuterium._pool.rolling_counts cimport RollingCounts

cdef Py_ssize_t REQUESTS, RETRIES
cdef double ROUNDING


cdef class RetryBudget:
    cdef Guard guard
    cdef readonly double share, minimum
    cdef readonly RollingCounts counts
    cdef readonly Py_ssize_t taken, refused, seen, known

    cpdef void request(self, double now) except *
    cpdef void resent(self) except *
    @cython.locals(more=Py_ssize_t)
    cpdef void observe(self, Py_ssize_t carried, double now) except *
    cpdef bint take(self, double now) except -1
    cpdef double balance(self, double now) except *
    @cython.locals(requests=Py_ssize_t)
    cdef double _balance(self, double now) except *
