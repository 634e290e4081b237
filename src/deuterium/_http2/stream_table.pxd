cimport cython
from .._http.exchange cimport Exchange
from .._memory.object_pool cimport ObjectPool
from .stream cimport Stream

cdef Py_ssize_t MAX_RESET_MEMORY, MAX_STREAM_ID
cdef int CLOSED
cdef Py_ssize_t CROWD, RING, LARGEST_RING

@cython.final
cdef class StreamTable:
    cdef ObjectPool pool
    cdef readonly Py_ssize_t count
    cdef list _ring
    cdef Py_ssize_t _mask
    cdef dict _beyond
    cdef readonly object waiting
    cdef public Py_ssize_t next_id
    cdef dict resets
    cdef Py_ssize_t forgotten_below
    @cython.locals(stream=Stream, stream_id=Py_ssize_t, count=Py_ssize_t, places=Py_ssize_t, ring=list)
    cpdef Stream open(self, Exchange exchange, long long send_window, long long receive_window)
    @cython.locals(stream=Stream, ring=list)
    cpdef Stream find(self, Py_ssize_t stream_id)
    cpdef list all(self)
    @cython.locals(count=Py_ssize_t, ring=list)
    cpdef void close(self, Stream stream, bint by_us) except *
    cpdef bint is_idle(self, Py_ssize_t stream_id)
    cpdef bint may_be_late(self, Py_ssize_t stream_id) except -1
    cpdef bint exhausted(self)
    @cython.locals(stream=Stream, streams=list, at=Py_ssize_t)
    cdef void _make_ring(self, Py_ssize_t places) except *
