cimport cython
from .exchange cimport Exchange

cdef double NEVER

cdef class Engine:
    cdef public list ready
    cdef public list writable
    cdef public bint closed
    cdef public bint draining
    cdef public double deadline
    cdef public object error
    cdef public bint in_data
    cdef public Py_ssize_t data_left
    cdef public long long requests
    cdef public double rtt
    cdef public long long stream_limit
    cdef public bint wants_pause
    cpdef void start(self, double now) except *
    cpdef Py_ssize_t capacity(self) except -1
    cpdef Py_ssize_t active(self) except -1
    cpdef void send_request(self, Exchange exchange, double now) except *
    cpdef void send_content(self, Exchange exchange, bytes piece, bint end, double now) except *
    cpdef void send_trailers(self, Exchange exchange, tuple fields, double now) except *
    cpdef long long room(self, Exchange exchange) except -2
    cpdef Py_ssize_t receive(self, object buffer, Py_ssize_t start, Py_ssize_t end, double now) except -1
    cpdef void receive_eof(self, double now) except *
    cpdef long long content_due(self) except -1
    cpdef void widen(self) except *
    cpdef void consumed(self, Exchange exchange, long long octets, double now) except *
    cpdef void cancel(self, Exchange exchange, object error, double now, int code=*) except *
    cpdef void fail(self, object error) except *
    cpdef void close(self, double now) except *
    cpdef bint ping(self, double now) except -1
    cpdef double unanswered_ping(self)
    cpdef void expire(self, double now) except *
    cpdef bint has_output(self) except -1
    cpdef Py_ssize_t queued_octets(self) except -1
    cpdef list take(self, double now)
    @cython.locals(exchange=Exchange, ready=list)
    cpdef list take_ready(self)
    cpdef list take_writable(self)
    cdef void _mark(self, Exchange exchange) except *
