cimport cython
from .._http.engine cimport Engine
from .._http.exchange cimport Exchange
from .blocking_transport cimport BlockingTransport
from .blocking_waiter cimport ThreadWaiter

cdef double NEVER, TICK_S, WRITER_TICK_S
cdef int FINISHED, POLLOUT

cdef class BlockingDriver(BlockingTransport):
    cdef readonly dict followers
    cdef public object on_tick
    cdef double next_tick
    @cython.locals(leads=bint, events=int, segments=list, now=double, limit=double, wait_s=double)
    cpdef void wait(self, Exchange exchange, ThreadWaiter waiter) except *
    cpdef bint lead(self) except -1
    cpdef void serve(self, int came) except *
    cpdef void follow(self) except *
    cpdef void expire(self, double now) except *
    cpdef int events_wanted(self) except -1
    @cython.locals(segments=list)
    cpdef void flush(self) except *
    @cython.locals(due=bint)
    cpdef object next_piece(self, Exchange exchange)
    cpdef long long room(self, Exchange exchange, ThreadWaiter waiter) except -2
    cpdef void send_content(self, Exchange exchange, bytes piece, bint end) except *
    @cython.locals(waiter=ThreadWaiter)
    cdef void _hand_on(self) except *
    cdef void _leave_reading(self) except *
    cdef void _end_sleep(self, ThreadWaiter waiter, object gate) except *
    cdef void _tick(self, double now) except *
    cdef void _stir(self) except *
