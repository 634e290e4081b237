cimport cython
from .._http.engine cimport Engine
from .._http.exchange cimport Exchange

cdef class Carrier:
    cdef readonly Engine engine
    cdef readonly bint lost
    cdef public object on_lost
    cdef public object on_room
    cdef public object route
    cpdef void submit(self, Exchange exchange, double now) except *
    cpdef void cancel(self, Exchange exchange, object error) except *
    cpdef void consumed(self, Exchange exchange, long long octets) except *
