cimport cython
from .._http.exchange cimport Exchange
from . cimport states
from .sending cimport Sending
from .stream cimport Stream

cdef double NEVER
cdef long long LARGE_WINDOW, MAX_WINDOW, WIDE
cdef int AWAITING, SENDING, FINISHED
cdef int CANCEL, RST_STREAM, WINDOW_UPDATE, OPEN, HALF_CLOSED_LOCAL, RESET

cdef class Endpoint(Sending):
    @cython.locals(stream=Stream)
    cpdef void consumed(self, Exchange exchange, long long octets, double now) except *
    @cython.locals(stream=Stream)
    cpdef long long content_due(self) except -1
    @cython.locals(stream=Stream, window="long long", more="long long")
    cpdef void widen(self) except *
    cdef void _give_back(self, Stream stream, long long octets) except *
    cdef void _give_back_connection(self, long long octets) except *
    @cython.locals(stream=Stream)
    cpdef void cancel(self, Exchange exchange, object error, double now, int code=*) except *
    @cython.locals(unread="long long")
    cdef void _discard(self, Exchange exchange) except *
    cdef void _reset(self, Stream stream, int code) except *
    cdef void _close(self, Stream stream, bint by_us) except *
    @cython.locals(stream=Stream, exchange=Exchange)
    cpdef void fail(self, object error) except *
    @cython.locals(stream=Stream, exchange=Exchange, limit=double, earliest=double)
    cpdef void expire(self, double now) except *
    cpdef void close(self, double now) except *
    cdef void _send_goaway(self, int code, bytes debug) except *
    @cython.locals(exchange=Exchange)
    cdef void _release(self, Stream stream) except *
    @cython.locals(exchange=Exchange)
    cdef void _drop_content(self, Stream stream) except *
    @cython.locals(stream=Stream)
    cdef double _look_at_held(self) except -1
