cimport cython
from .._http.engine cimport Engine
from .._http.exchange cimport Exchange
from .request cimport RequestEncoder

cdef double NEVER
cdef int AWAITING, FINISHED, SENDING
cdef int CLOSED, OPEN, ENDED, RAW, BY_LENGTH, IN_CHUNKS
cdef int CLOSE, EXPECT, LENGTH, UPGRADE
cdef long long BY_REFERENCE, CONTENT_HIGH, CONTENT_LOW, RESUME_BELOW, TURN_OCTETS

cdef class Sender(Engine):
    cdef RequestEncoder encoder
    cdef readonly Exchange exchange
    cdef readonly long long answered
    cdef readonly bint switched
    cdef readonly double now
    cdef double continue_wait_s
    cdef double continue_at
    cdef bytes head
    cdef readonly bint flushed
    cdef readonly bint heard
    cdef bint held
    cdef bint last
    cdef bint asked_to_switch
    cdef int sending
    cdef int framing
    cdef long long content_left
    cdef object pending
    cdef Py_ssize_t pending_at
    cdef readonly long long pending_octets

    cdef void _reset(self) except *
    cpdef void start(self, double now) except *
    cpdef Py_ssize_t capacity(self) except -1
    cpdef Py_ssize_t active(self) except -1
    @cython.locals(flags=int, tunnel=bint)
    cpdef void send_request(self, Exchange exchange, double now) except *
    cdef void _open_content(self, Exchange exchange, int flags, bint tunnel) except *
    @cython.locals(size=Py_ssize_t)
    cpdef void send_content(self, Exchange exchange, bytes piece, bint end, double now) except *
    @cython.locals(section=bytes)
    cpdef void send_trailers(self, Exchange exchange, tuple fields, double now) except *
    cpdef long long room(self, Exchange exchange) except -2
    cdef void _queue(self, bytes piece) except *
    cdef void _wrong_length(self) except *
    cdef void _break(self, str rule) except *
    cdef void _release_content(self, Exchange exchange) except *
    cdef void _drop_content(self, Exchange exchange) except *
    cpdef void consumed(self, Exchange exchange, long long octets, double now) except *
    cpdef void cancel(self, Exchange exchange, object error, double now, int code=*) except *
    cpdef void close(self, double now) except *
    @cython.locals(exchange=Exchange)
    cpdef void fail(self, object error) except *
    cdef void _close(self) except *
    cdef void _end(self, Exchange exchange, object error) except *
    @cython.locals(exchange=Exchange)
    cpdef void expire(self, double now) except *
    cdef double _limit(self, Exchange exchange) except *
    @cython.locals(limit=double)
    cdef void _watch(self, Exchange exchange) except *
    cpdef bint has_output(self) except -1
    cpdef Py_ssize_t queued_octets(self) except -1
    @cython.locals(segments=list, exchange=Exchange)
    cpdef list take(self, double now)
    @cython.locals(run=list, piece=bytes, start=Py_ssize_t, size="long long", taken="long long")
    cdef void _take_content(self, Exchange exchange, list segments) except *
    cdef void _content_sent(self, Exchange exchange) except *

cdef void _discard(Exchange exchange) except *
