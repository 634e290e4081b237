cimport cython
from .._http.engine cimport Engine
from .._http.exchange cimport Exchange
from .lenience cimport Lenience

cdef class Tally:
    cpdef void sent(self, double now) except *
    cpdef void heard(self, double now) noexcept
    cpdef void answered(self, double now, double latency_s) except *
    cpdef void failed(self, double now, str kind) except *
    cpdef void cancelled(self, double now) except *

cdef class Carrier:
    cdef public Engine engine
    cdef public bint lost
    cdef public bint direct
    cdef public object on_lost
    cdef public object on_room
    cdef public object route
    cdef public Tally tally
    cdef public double opened_at
    cdef public double used_at
    cdef readonly Lenience lenience
    cpdef void settle(self, Exchange exchange, double now) except *
    @cython.locals(engine=Engine, lenience=Lenience)
    cpdef void end_overdue(self, double now) except *
    cpdef void submit(self, Exchange exchange, double now) except *
    cpdef void cancel(self, Exchange exchange, object error) except *
    cpdef void consumed(self, Exchange exchange, long long octets) except *
