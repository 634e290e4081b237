cimport cython
from .._http.engine cimport Engine
from .._http.exchange cimport Exchange
from .._memory.foresight cimport address_of, foresee
from .._net.carrier cimport Carrier, Tally
from .score cimport Balancer, ConnectionScore

cdef double NEVER
cdef int FINISHED, QUEUED
cdef Py_ssize_t EXCHANGE_OCTETS

cdef class Route:
    cdef readonly object origin
    cdef readonly long long max_carriers
    cdef readonly long long max_multiplexed
    cdef readonly object multiplexed
    cdef readonly list carriers
    cdef readonly Balancer balancer
    cdef dict by_score
    cdef readonly object waiting
    cdef readonly long long waits
    cdef readonly double waited_s
    cdef readonly long long sent_before
    cdef public bint saturated
    cdef readonly int dialing
    cdef readonly int bound
    cdef public object connect_s
    cdef readonly list refused
    cdef readonly double deadline
    cdef object growth
    cdef readonly double look_at

    @cython.locals(carrier=Carrier, limit=double, before=Exchange)
    cpdef bint submit(self, Exchange exchange, double now) except -1
    @cython.locals(carriers=list, carrier=Carrier, only=Carrier)
    cpdef Carrier choose(self, double now)
    @cython.locals(carrier=Carrier, score=ConnectionScore, only=Carrier, room=Py_ssize_t, with_room=int)
    cdef Carrier _measure(self)
    @cython.locals(chosen=ConnectionScore)
    cdef Carrier _better(self, double now)
    @cython.locals(carrier=Carrier, exchange=Exchange, only=Carrier)
    cpdef void admit(self, double now) except *
    cpdef bint withdraw(self, Exchange exchange, object error) except -1
    cpdef void expire(self, double now) except *
    @cython.locals(exchange=Exchange, limit=double, earliest=double)
    cdef void _set_deadline(self) except *
    cdef double _limit(self, Exchange exchange) except? -1
    cdef void _refuse(self, Exchange exchange, object error) except *
