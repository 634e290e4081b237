cimport cython
from .._http.body cimport Body
from .._http.exchange cimport Exchange, LentPiece
from .._memory cimport octets
from .._memory.buffer_pool cimport PooledBuffer
from . cimport states
from .control cimport Control
from .stream cimport Stream

cdef int JOIN_BELOW, PIECES, LEND_SHARE
cdef int PROTOCOL_ERROR, STREAM_CLOSED, FLOW_CONTROL_ERROR, CANCEL
cdef int HALF_CLOSED_LOCAL, HALF_CLOSED_REMOTE, ILLEGAL, RECEIVE_DATA, RECEIVE_END_STREAM
cdef long long COLLECT_FROM

cdef class Content(Control):
    cdef LentPiece lent
    cdef object lent_among
    cdef Py_ssize_t read_end
    cdef Py_ssize_t data_padding
    cdef bint data_ends

    @cython.locals(stream=Stream, exchange=Exchange, size=Py_ssize_t)
    cdef bint _content_at_once(self, bytearray data, Py_ssize_t start, Py_ssize_t end, Py_ssize_t stream_id) except -1
    @cython.locals(stream=Stream)
    cdef void _begin_data(self, Py_ssize_t stream_id, Py_ssize_t length, Py_ssize_t padding, bint ends) except *
    @cython.locals(stream=Stream, size=Py_ssize_t, left=Py_ssize_t, position=Py_ssize_t, skipped=Py_ssize_t)
    cdef Py_ssize_t _data_payload(self, PooledBuffer buffer, Py_ssize_t start, Py_ssize_t end) except -1
    @cython.locals(exchange=Exchange, body=Body, size=Py_ssize_t, lent=LentPiece)
    cdef void _deliver(self, Stream stream, PooledBuffer buffer, Py_ssize_t start, Py_ssize_t end) except *
    @cython.locals(lent=LentPiece)
    cdef void _settle_lent(self) except *
    @cython.locals(exchange=Exchange, state=int)
    cdef void _receive_end_stream(self, Stream stream) except *
