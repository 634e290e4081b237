cimport cython
from .._memory cimport octets
from .._memory.foresight cimport foresee
from .._memory.buffer_pool cimport PooledBuffer

cdef double NEVER
cdef int QUEUED, SENDING, AWAITING, WHOLE
cdef Py_ssize_t WAITER_OCTETS
cdef bint COMPILED

cdef class Waiter:
    cpdef wake(self, Exchange exchange)
    cpdef void foresee(self) noexcept

@cython.locals(exchange=Exchange, waiter=Waiter)
cpdef void foresee_waiters(list exchanges) except *

cdef class Exchange:
    # Objects first, side by side: nothing else is looked at when it ends.
    cdef public str method
    cdef public str scheme
    cdef public str authority
    cdef public str path
    cdef public tuple common
    cdef public tuple extra
    cdef public bytes body
    cdef public object origin
    cdef public object request
    cdef public object carrier
    cdef public object uploader
    cdef public object route
    cdef public str protocol
    cdef public Waiter waiter
    cdef public Waiter writer
    cdef public object engine
    cdef public str reason
    cdef public list fields
    cdef public list informational
    cdef public list trailers
    cdef public bytes content
    cdef public object chunks
    cdef public object error
    cdef public size_t waiter_at
    cdef public size_t follower_at
    cdef public Py_ssize_t stream_id
    cdef public double deadline
    cdef public double pool_timeout
    cdef public double read_timeout
    cdef public double write_timeout
    cdef public double progress_at
    cdef public double sent_at
    cdef public double answered_at
    cdef public double finished_at
    cdef public long long content_length
    cdef public long long received
    cdef public long long unread
    cdef public bint has_content
    cdef public int urgency
    cdef public int delivery
    cdef public bint marked
    cdef public bint settled
    cdef public int phase
    cdef public int status
    cdef public int kinds
    cdef public bint headers_received
    cdef public bint hears_informational
    @cython.locals(limit=double)
    cpdef double limit(self)

@cython.final
cdef class LentPiece:
    cdef public PooledBuffer buffer
    cdef readonly Py_ssize_t start
    cdef readonly Py_ssize_t end
    cdef object _view
    @cython.locals(size=Py_ssize_t)
    cpdef void extend(self, Py_ssize_t start, Py_ssize_t end) except *
    cpdef void release(self)
