from .._http.exchange cimport Exchange, Waiter
from .gate_queue cimport GateQueue

cdef class ThreadWaiter(Waiter):
    cdef public bint woken
    cdef public object gate
    cdef public GateQueue queue
    cpdef wake(self, Exchange exchange)
    cpdef nudge(self)
    cdef void _end_sleep(self) except *
