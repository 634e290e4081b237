cimport cython

from deuterium._pool.rolling_counts cimport RollingCounts

cdef int CLOSED, OPEN, HALF_OPEN, GOOD, BAD, SLOW


cdef class Permit:
    cdef readonly Breaker breaker
    cdef readonly double given, slow_call_s
    cdef readonly Py_ssize_t spell
    cdef readonly bint probe, counted, reported

    cpdef void success(self, double now) except *
    cpdef void slow(self, double now) except *
    cpdef void failure(self, double now) except *
    cpdef void ignored(self, double now) except *
    cdef void _report(self, double now, int result) except *


cdef class Breaker:
    cdef readonly object policy
    cdef readonly str origin
    cdef readonly Py_ssize_t failures_in_a_row, failure_count, minimum_calls, spell, in_a_row, openings
    cdef readonly Py_ssize_t probes_good, permits, refused, expired, late, opened
    cdef public Py_ssize_t version
    cdef readonly double failure_share, slow_share, slow_call_s, open_until, open_for_s, closed_at, changed
    cdef readonly int state
    cdef readonly RollingCounts window
    cdef readonly list probes, hooks

    @cython.locals(limit_s=double, probe=bint, permit=Permit)
    cpdef Permit allow(self, double now, str mode=*, object slow_call_s=*)
    cpdef str state_at(self, double now)
    cpdef void reported(self, Permit permit, double now, int result) except *
    @cython.locals(window=RollingCounts, bad=Py_ssize_t, slow=Py_ssize_t, calls=Py_ssize_t)
    cdef void _count(self, double now, int result) except *
    cdef void _judge_probe(self, double now, int result) except *
    cdef void _open(self, double now, str reason) except *
    cdef void _close(self, double now, str reason) except *
    @cython.locals(before=int)
    cdef void _change(self, int state, double now, str reason) except *
