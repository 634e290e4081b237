cimport cython
from .._http.exchange cimport Exchange, Waiter

cdef int FINISHED
cdef Py_ssize_t PORTION, PORTIONS

cdef class FetchMany(Waiter):
    cdef object _loop
    cdef object _items
    cdef Py_ssize_t _concurrency
    cdef Py_ssize_t _low
    cdef bint _return_errors
    cdef object _start
    cdef object _stop
    cdef object _finish
    cdef object _whole
    cdef object _done
    cdef set _in_flight
    cdef bint _exhausted
    cdef object _future
    cpdef wake(self, Exchange exchange)
    @cython.locals(in_flight=set)
    cdef void _fill(self) except *
    cdef void _notify(self) except *
