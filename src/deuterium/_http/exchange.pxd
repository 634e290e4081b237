cimport cython
from .._memory cimport octets
from .._memory.buffer_pool cimport PooledBuffer

cdef double NEVER
cdef int QUEUED, SENDING, AWAITING, WHOLE

cdef class Waiter:
    cpdef wake(self, Exchange exchange)

cdef class Exchange:
    cdef public str method
    cdef public str scheme
    cdef public str authority
    cdef public str path
    cdef public tuple common
    cdef public tuple extra
    cdef public bytes body
    cdef public bint has_content
    cdef public object origin
    cdef public object request
    cdef public object carrier
    cdef public object uploader
    cdef public object route
    cdef public str protocol
    cdef public int urgency
    cdef public int delivery
    cdef public Waiter waiter
    cdef public Waiter writer
    cdef public bint marked
    cdef public bint settled
    cdef public object engine
    cdef public Py_ssize_t stream_id
    cdef public int phase
    cdef public double deadline
    cdef public double pool_timeout
    cdef public double read_timeout
    cdef public double write_timeout
    cdef public double progress_at
    cdef public double sent_at
    cdef public double answered_at
    cdef public double finished_at
    cdef public int status
    cdef public str reason
    cdef public list fields
    cdef public int kinds
    cdef public long long content_length
    cdef public bint headers_received
    cdef public bint hears_informational
    cdef public list informational
    cdef public list trailers
    cdef public bytes content
    cdef public object chunks
    cdef public long long received
    cdef public long long unread
    cdef public object error
    cpdef double limit(self)

@cython.final
cdef class LentPiece:
    cdef public PooledBuffer buffer
    cdef readonly Py_ssize_t start
    cdef readonly Py_ssize_t end
    cdef object _view
    cpdef void extend(self, Py_ssize_t start, Py_ssize_t end) except *
    cpdef void release(self)
