cimport cython
from .._http.engine cimport Engine
from .busy_poll cimport TurnPoll

cdef Py_ssize_t RECORD, MUCH, LEAST_LEFT
cdef tuple MARKS
cdef double FAST_S

@cython.final
cdef class LowWater:
    cdef object _loop
    cdef public object socket
    cdef public TurnPoll poll
    cdef object _timer
    cdef Py_ssize_t _octets
    cdef Py_ssize_t _mark
    cdef double _since
    cdef long long _seen
    cdef readonly bint raised
    cdef readonly long long reads
    cpdef void note(self, Engine engine, Py_ssize_t octets) except *
    @cython.locals(now=double, took=double)
    cdef void _follow_rate(self, Engine engine) except *
    cpdef void lower(self) except *
    cdef void _raise(self, Py_ssize_t mark) except *
    cpdef void _look(self) except *
    cdef bint _set(self, Py_ssize_t octets) except -1
