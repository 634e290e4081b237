cimport cython

cdef Py_ssize_t MOST_LOOKS, MOST_SKIPPED

cdef class BusyPoll:
    cdef readonly double limit_s
    cdef Py_ssize_t _penalty
    cdef Py_ssize_t _skip
    cdef bint _polling
    cdef long long _thread
    cdef readonly long long polls
    cdef readonly long long answers
    cpdef bint begin(self)
    cpdef void end(self, bint answered)
    @cython.locals(thread="long long", until=double, looks=Py_ssize_t)
    cpdef object look(self, object poll)
    cdef void _give_up(self) noexcept

@cython.final
cdef class TurnPoll(BusyPoll):
    cdef object _loop
    cdef double _until
    cdef Py_ssize_t _looks
    cdef bint _scheduled
    cpdef void watch(self) except *
    cpdef void heard(self) except *
    cpdef void turn(self) except *
    cdef void _schedule(self) except *
