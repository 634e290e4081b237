cimport cython
from .._http.exchange cimport Exchange, Waiter

cdef class FutureWaiter(Waiter):
    cdef readonly object future
    cpdef wake(self, Exchange exchange)
