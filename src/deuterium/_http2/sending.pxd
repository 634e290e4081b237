cimport cython
from .._hpack.decoder cimport Decoder
from .._hpack.encoder cimport Encoder
from .._http.engine cimport Engine
from .._http.exchange cimport Exchange
from . cimport states, windows
from .budgets cimport Budget
from .outbound cimport Outbound
from .scheduler cimport Scheduler
from .stream cimport Stream
from .stream_table cimport StreamTable

cdef double NEVER
cdef int QUEUED, SENDING, AWAITING, FINISHED
cdef int CONTINUATION, DATA, HEADERS, WINDOW_UPDATE, END_HEADERS, END_STREAM
cdef int OPEN, HALF_CLOSED_LOCAL, SEND_END_STREAM
cdef long long DEFAULT_WINDOW, CONTENT_HIGH, CONTENT_LOW, DATA_LIMIT, TURN_OCTETS, UNLIMITED
cdef double WINDOW_UPDATES_PER_DATA

cdef class Sending(Engine):
    cdef readonly object options
    cdef readonly object buffers
    cdef readonly Outbound outbound
    cdef readonly StreamTable table
    cdef Scheduler scheduler
    cdef readonly object peer
    cdef Encoder encoder
    cdef Decoder decoder
    cdef Budget noise
    cdef readonly long long send_window
    cdef readonly long long receive_window
    cdef readonly long long receive_consumed
    cdef public long long max_streams
    cdef readonly bint settings_acknowledged
    cdef readonly bint settings_received
    cdef readonly long long replies
    cdef readonly dict pings
    cdef readonly dict held
    cdef object ping_count
    cdef readonly Py_ssize_t flushed_id
    cdef readonly long long last_stream_id
    cdef readonly long long goaway_code
    cdef readonly double now
    cdef object tap
    cdef Stream data_stream
    cdef long long peer_frame_size
    cdef long long peer_window
    cdef long long peer_list_size
    cdef Py_ssize_t options_frame_size
    cdef long long options_list_size
    cdef long long connection_update_at
    cdef long long stream_update_at
    cdef long long opening_window
    cdef Py_ssize_t wide_id

    cpdef void start(self, double now) except *
    cpdef Py_ssize_t capacity(self) except -1
    cpdef Py_ssize_t active(self) except -1
    @cython.locals(table=StreamTable, earliest=double)
    cpdef void send_request(self, Exchange exchange, double now) except *
    @cython.locals(exchange=Exchange)
    cpdef void admit(self) except *
    @cython.locals(stream=Stream, block=bytes, flags=int)
    cdef void _open(self, Exchange exchange) except *
    @cython.locals(limit=Py_ssize_t, size=Py_ssize_t, start=Py_ssize_t)
    cdef void _field_block(self, Py_ssize_t stream_id, int flags, bytes block) except *
    @cython.locals(stream=Stream)
    cpdef void send_content(self, Exchange exchange, bytes piece, bint end, double now) except *
    @cython.locals(stream=Stream)
    cpdef void send_trailers(self, Exchange exchange, tuple fields, double now) except *
    @cython.locals(stream=Stream)
    cpdef long long room(self, Exchange exchange) except -2
    @cython.locals(stream=Stream, octets="long long", frame_limit="long long")
    cdef void _pump(self, long long limit) except *
    @cython.locals(exchange=Exchange, piece=bytes, start="long long", size="long long", left="long long", last=bint)
    cdef void _send_data(self, Stream stream, long long octets) except *
    cdef void _end(self, Exchange exchange, object error) except *
    cpdef bint has_output(self) except -1
    cpdef Py_ssize_t queued_octets(self) except -1
    cpdef list take(self, double now)
    cdef object _stream_of(self, Exchange exchange)
    cdef void _fail_waiting(self) except *
    cdef void _read_peer(self) except *
    @cython.locals(limit=double)
    cdef void _watch(self, Exchange exchange) except *
    cdef double _next_look(self, Exchange exchange) except -1
