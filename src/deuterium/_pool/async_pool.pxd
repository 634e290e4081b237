cimport cython
from .._http.exchange cimport Exchange
from .route cimport Route

cdef double NEVER

cdef class AsyncPool:
    cdef readonly object loop
    cdef object context
    cdef object limits
    cdef object http2_options
    cdef bint plain_http2
    cdef object connect_timeout_s
    cdef object tap
    cdef readonly object buffers
    cdef readonly object streams
    cdef readonly object strings
    cdef object dialer
    cdef readonly dict routes
    cdef set dials
    cdef object timer
    cdef double timer_at

    @cython.locals(route=Route)
    cpdef void submit(self, Exchange exchange, object connect_timeout_s, double now) except *
    @cython.locals(route=Route)
    cpdef void cancel(self, Exchange exchange, object error) except *
