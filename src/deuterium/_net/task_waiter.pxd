cimport cython
from .._http.exchange cimport Exchange, Waiter
from .carrier cimport Carrier

cdef class TaskWaiter(Waiter):
    cdef public object _asyncio_future_blocking
    cdef readonly object _loop
    cdef object answered
    cdef object callback
    cdef object context
    cdef object message
    cdef bint withdrawn
    cdef bint woken
    @cython.locals(carrier=Carrier)
    cpdef wake(self, Exchange exchange)
    cdef void _call_soon(self, object future) except *
