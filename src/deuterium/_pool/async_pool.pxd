cimport cython
from .._http.exchange cimport Exchange
from .._net.carrier cimport Carrier
from .route cimport Route

cdef double NEVER
cdef int FINISHED

cdef class AsyncPool:
    cdef readonly object loop
    cdef readonly object workshop
    cdef object limits
    cdef object housekeeping
    cdef readonly object dialer
    cdef readonly dict routes
    cdef Route recent
    cdef list starved
    cdef readonly long long connections
    cdef set dials
    cdef object timer
    cdef double timer_at
    cdef object tick
    cdef bint closed
    cdef object __weakref__

    @cython.locals(route=Route)
    cpdef void submit(self, Exchange exchange, object connect_s, double now) except *
    @cython.locals(route=Route)
    cpdef void cancel(self, Exchange exchange, object error) except *
