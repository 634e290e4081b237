cimport cython
from .._http.exchange cimport Exchange
from .._http.field_section cimport FieldSection
from .._memory cimport octets
from .._memory.buffer_pool cimport PooledBuffer
from . cimport states
from .content cimport Content
from .stream cimport Stream

cdef bint COMPILED
cdef Py_ssize_t MAX_STREAM_ID
cdef int PIECES
cdef int ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, FRAME_HEADER_LENGTH, GOAWAY, HEADERS
cdef int MAX_CONTINUATIONS, MAX_FIELD_BLOCK, MAX_INFORMATIONAL, PADDED, PING, PRIORITY, PRIORITY_FLAG
cdef int PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE, PROTOCOL_ERROR, STREAM_CLOSED
cdef int FRAME_SIZE_ERROR, ENHANCE_YOUR_CALM, CANCEL, HALF_CLOSED_LOCAL, ILLEGAL, RECEIVE_HEADERS

cdef class Connection(Content):
    cdef FieldSection section
    cdef bytearray block
    cdef Py_ssize_t block_stream_id
    cdef bint block_end_stream
    cdef int block_frames

    cpdef Py_ssize_t receive(self, object buffer, Py_ssize_t start, Py_ssize_t end, double now) except -1
    cpdef void receive_eof(self, double now) except *
    @cython.locals(data=bytearray, p="const unsigned char *", position=Py_ssize_t, payload=Py_ssize_t, length=Py_ssize_t,
                   kind=int, flags=int, padding=int, stream_id=Py_ssize_t)
    cdef Py_ssize_t _walk(self, PooledBuffer buffer, Py_ssize_t start, Py_ssize_t end) except -1
    cdef void _dispatch(self, bytearray data, Py_ssize_t start, Py_ssize_t end, int kind, int flags, Py_ssize_t stream_id) except *
    @cython.locals(padding=Py_ssize_t, room=Py_ssize_t, ends=bint)
    cdef void _receive_headers(self, bytearray data, Py_ssize_t start, Py_ssize_t end, int flags, Py_ssize_t stream_id) except *
    @cython.locals(block=bytearray, stream_id=Py_ssize_t)
    cdef void _receive_continuation(self, bytearray data, Py_ssize_t start, Py_ssize_t end, int flags) except *
    @cython.locals(section=FieldSection, stream=Stream, trailers=bint)
    cdef void _field_section(self, bytearray data, Py_ssize_t start, Py_ssize_t end, Py_ssize_t stream_id, bint ends) except *
    @cython.locals(section=FieldSection, exchange=Exchange, status=int)
    cdef void _receive_final(self, Stream stream, bint ends) except *
    @cython.locals(section=FieldSection, exchange=Exchange)
    cdef void _receive_informational(self, Stream stream, bint ends) except *
    cdef void _receive_trailers(self, Stream stream, bint ends) except *
