cimport cython
from .._http.exchange cimport Exchange, Waiter
from .._net.blocking_driver cimport BlockingDriver
from .._net.blocking_waiter cimport ThreadWaiter
from .._net.carrier cimport Carrier
from .route cimport Route

cdef int FINISHED
cdef double NEVER, TICK_S, FRESH_S

cdef class SyncPool:
    cdef readonly object lock
    cdef readonly object workshop
    cdef object limits
    cdef object housekeeping
    cdef object dialer
    cdef readonly dict routes
    cdef readonly long long connections
    cdef readonly dict parked
    cdef double next_tick
    cdef readonly bint closed

    cpdef void submit(self, Exchange exchange, object connect_s, double now) except *
    @cython.locals(route=Route, carrier=Carrier)
    cpdef void enqueue(self, Exchange exchange, object connect_s, double now) except *
    @cython.locals(driver=BlockingDriver)
    cpdef void wait(self, Exchange exchange, ThreadWaiter waiter) except *
    cdef void _look(self, Route route, double now) except *
    @cython.locals(route=Route, now=double)
    cdef void _wait_for_place(self, Exchange exchange, ThreadWaiter waiter) except *
    @cython.locals(now=double)
    cdef void _dial(self, Route route, object exchange, object connect_s) except *
    cdef void _stir(self, Route route) except *
    cdef void _wake(self, Route route) except *
    cpdef void _tick(self, double now) except *
