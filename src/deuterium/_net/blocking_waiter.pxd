cimport cython
from .._http.exchange cimport Exchange, Waiter

cdef class ThreadWaiter(Waiter):
    cdef public bint woken
    cdef public object gate
    cpdef wake(self, Exchange exchange)
    cpdef nudge(self)
