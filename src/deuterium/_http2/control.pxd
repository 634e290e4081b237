cimport cython
from .._http.exchange cimport Exchange
from . cimport states, windows
from .endpoint cimport Endpoint
from .stream cimport Stream

cdef double NEVER
cdef int ACK, GOAWAY, MAX_DEBUG_DATA, MAX_QUEUED_REPLIES, PING, PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE
cdef int PROTOCOL_ERROR, STREAM_CLOSED, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, REFUSED_STREAM
cdef int ENHANCE_YOUR_CALM, RESET

cdef class Control(Endpoint):
    cdef void _noise(self) except *
    cdef void _check_gone(self, Py_ssize_t stream_id) except *
    @cython.locals(exchange=Exchange)
    cdef void _stream_error(self, Stream stream, int code, str rule) except *
    @cython.locals(stream=Stream, increment="long long", window="long long")
    cdef void _receive_window_update(self, bytearray data, Py_ssize_t start, Py_ssize_t end, Py_ssize_t stream_id) except *
    @cython.locals(stream=Stream, window="long long")
    cdef void _receive_settings(self, bytes payload, int flags, Py_ssize_t stream_id) except *
    cdef void _receive_ping(self, bytes payload, int flags, Py_ssize_t stream_id) except *
    cdef void _reply(self, int kind, bytes payload) except *
    @cython.locals(stream=Stream, exchange=Exchange)
    cdef void _receive_rst_stream(self, bytes payload, Py_ssize_t stream_id) except *
    @cython.locals(stream=Stream, exchange=Exchange, last_stream_id="long long")
    cdef void _receive_goaway(self, bytes payload, Py_ssize_t stream_id) except *
    @cython.locals(stream=Stream)
    cdef void _check_priority(self, Py_ssize_t length, Py_ssize_t stream_id) except *
