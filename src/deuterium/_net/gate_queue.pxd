cimport cython
from . cimport gate as gates

cdef int HASTY, SPARE

cdef class GateQueue:
    cdef object gate_type
    cdef readonly list spare
    cdef readonly object due  # a deque
    cdef public bint holding
    cdef readonly long long awake
    cdef readonly object guard
    cdef readonly int hasty
    cdef readonly long long passed

    cpdef object shut_gate(self)
    cpdef add(self, object gate)
    cpdef choose(self, object gate)
    cpdef watch(self, object gate)
    cpdef returned(self, object gate, bint opened)
    cpdef list take_next(self)
    @cython.locals(due=list)
    cpdef list take_all(self)
    cpdef bint is_stuck(self, long long passed) except -1
    cpdef open_all(self)
