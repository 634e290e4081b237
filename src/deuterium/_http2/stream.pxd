cimport cython
from .._http.exchange cimport Exchange
from .._memory cimport collector
from .._memory.object_pool cimport Poolable

cdef int IDLE, CLOSED

cdef class Stream(Poolable):
    cdef readonly Py_ssize_t id
    cdef public int state
    cdef public Exchange exchange
    cdef public long long send_window
    cdef public long long receive_window
    cdef public long long consumed
    cdef public long long expected
    cdef public long long received
    cdef public bint got_headers
    cdef public object body
    cdef public object pending
    cdef public Py_ssize_t pending_at
    cdef public long long pending_octets
    cdef public bint pending_end
    cdef public object trailers
    cdef public bint scheduled
    cpdef void open(self, Py_ssize_t stream_id, Exchange exchange, long long send_window, long long receive_window)
    cpdef reset(self)
