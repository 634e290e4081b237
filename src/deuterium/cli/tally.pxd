cimport cython
from .._http.exchange cimport Exchange
from ..response cimport Response
from .histogram cimport Histogram

cdef Py_ssize_t REMEMBERED

cdef class Tally:
    cdef readonly long long responses
    cdef readonly long long content_bytes
    cdef readonly Histogram latencies
    cdef readonly dict statuses
    cdef int status
    cdef long long status_count
    cdef readonly dict errors
    cdef readonly dict examples
    cdef readonly long long connections
    cdef readonly dict protocols
    cdef object carrier
    cdef set carriers
    @cython.locals(exchange=Exchange)
    cpdef void add(self, Response response) except *
    cpdef void merge(self, Tally other) except *
    cpdef void settle(self) except *
    cdef void _meet(self, object carrier, str protocol) except *
