cimport cython
from .._net.carrier cimport Tally

cdef double DECAY_S, ANSWER_WEIGHT, FAILURE_WEIGHT, FAILURE_COST_S, LEAST_LATENCY_S, MAX_FAILURE_SHARE, AGE_KNEE, CROWD
cdef double EJECT_SHARE, EJECTION_S, MAX_EJECTION_S, MAX_EJECTED_SHARE
cdef Py_ssize_t EJECT_AFTER, EJECT_SHARE_REPORTS
cdef int HEALTHY, SUSPECT, EJECTED, PROBING


cdef class ConnectionScore(Tally):
    cdef readonly Py_ssize_t outstanding, answers, failures, failures_in_a_row, ejections
    cdef public Py_ssize_t limit
    cdef readonly int condition
    cdef readonly double latency_s, failure_share, stamp, quiet_since, born, max_age_s, ejected_until, restored_at

    cpdef void sent(self, double now) except *
    cpdef void heard(self, double now) noexcept
    @cython.locals(weight=double, faded=double)
    cpdef void answered(self, double now, double latency_s) except *
    @cython.locals(step=double, weight=double)
    cpdef void failed(self, double now, str kind) except *
    cpdef void cancelled(self, double now) except *
    @cython.locals(weight=double, latency=double, share=double, cost=double, late=double, spell=double)
    cpdef double value(self, double now) noexcept
    cdef bint does_well(self) noexcept
    @cython.locals(last_s=double)
    cpdef void eject(self, double now) except *
    @cython.locals(weight=double)
    cpdef object stats(self, double now)

    cdef void _ended(self) except *
    @cython.locals(elapsed=double, weight=double)
    cdef double _fade(self, double now) noexcept
    cdef bint _does_badly(self) noexcept
    cdef void _improved(self, double now) noexcept


cdef class Balancer:
    cdef readonly object random
    cdef readonly list scores

    cpdef void add(self, ConnectionScore score) except *
    cpdef void remove(self, ConnectionScore score) except *
    @cython.locals(scores=list, count=Py_ssize_t, at=Py_ssize_t, other=Py_ssize_t, first=ConnectionScore, second=ConnectionScore)
    cpdef ConnectionScore choose(self, double now)
    @cython.locals(score=ConnectionScore, best=ConnectionScore)
    cpdef ConnectionScore least_bad(self, double now)

    cdef bint _takes(self, ConnectionScore score, double now) except -1
    @cython.locals(score=ConnectionScore, ejected=Py_ssize_t)
    cdef Py_ssize_t _ejected(self) except -1
    @cython.locals(scores=list, count=Py_ssize_t, at=Py_ssize_t)
    cdef Py_ssize_t _next_that_takes(self, Py_ssize_t start, Py_ssize_t beside, double now) except -2
