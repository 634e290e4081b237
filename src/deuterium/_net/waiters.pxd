cimport cython
from .._http.exchange cimport Exchange, Waiter

cdef class FutureWaiter(Waiter):
    cdef object future
    cpdef wake(self, Exchange exchange)
