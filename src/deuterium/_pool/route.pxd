cimport cython
from .._http.engine cimport Engine
from .._http.exchange cimport Exchange
from .._net.carrier cimport Carrier

cdef double NEVER
cdef int FINISHED, QUEUED

cdef class Route:
    cdef readonly object origin
    cdef readonly long long max_carriers
    cdef readonly list carriers
    cdef readonly object waiting
    cdef readonly int dialing
    cdef readonly list refused
    cdef readonly double deadline

    @cython.locals(carrier=Carrier, limit=double)
    cpdef bint submit(self, Exchange exchange, double now) except -1
    @cython.locals(carrier=Carrier, best=Carrier, room=Py_ssize_t, free=Py_ssize_t)
    cpdef Carrier choose(self)
    @cython.locals(carrier=Carrier, exchange=Exchange)
    cpdef void admit(self, double now) except *
    @cython.locals(exchange=Exchange)
    cpdef bint withdraw(self, Exchange exchange, object error) except -1
    @cython.locals(exchange=Exchange, limit=double, earliest=double)
    cpdef void expire(self, double now) except *
    cdef double _limit(self, Exchange exchange) except? -1
    cdef void _refuse(self, Exchange exchange, object error) except *
