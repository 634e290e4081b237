cimport cython
from .._http.body cimport Body
from .._http.exchange cimport Exchange, LentPiece
from .._memory cimport octets
from .._memory.buffer_pool cimport PooledBuffer
from .chunk_line cimport ChunkLine
from .field_lines cimport FieldLines
from .sender cimport Sender

cdef int JOIN_BELOW, PIECES, SENDING, LEND_SHARE, MAX_INFORMATIONAL, MAX_SECTION
cdef int OPEN, RAW, SECTION, MEASURED, UNTIL_CLOSE, CHUNK_LINE, CHUNK, CHUNK_END, TRAILERS
cdef long long COLLECT_FROM, PAUSE_ABOVE, UNKNOWN_LENGTH

cdef class Connection(Sender):
    cdef FieldLines lines
    cdef ChunkLine chunk_line
    cdef int state
    cdef Body body
    cdef long long expected
    cdef int interim

    cpdef Py_ssize_t receive(self, object buffer, Py_ssize_t start, Py_ssize_t end, double now) except -1
    @cython.locals(exchange=Exchange)
    cpdef void receive_eof(self, double now) except *
    cpdef long long content_due(self) except -1
    cdef void _unasked(self) except *
    cdef void _forget(self) except *
    @cython.locals(data=bytearray, position=Py_ssize_t, after=Py_ssize_t)
    cdef Py_ssize_t _walk(self, PooledBuffer buffer, Py_ssize_t start, Py_ssize_t end) except -1
    @cython.locals(status=int, lines=FieldLines)
    cdef void _receive_section(self, Exchange exchange) except *
    cdef void _receive_interim(self, Exchange exchange, int status) except *
    @cython.locals(lines=FieldLines)
    cdef void _receive_final(self, Exchange exchange, int status) except *
    @cython.locals(lines=FieldLines)
    cdef void _fill(self, Exchange exchange, int status) except *
    @cython.locals(lines=FieldLines)
    cdef void _frame(self, Exchange exchange, int status) except *
    cdef void _receive_trailers(self, Exchange exchange) except *
    cdef void _begin_chunk(self) except *
    @cython.locals(size=Py_ssize_t)
    cdef Py_ssize_t _receive_content(self, Exchange exchange, PooledBuffer buffer, Py_ssize_t start, Py_ssize_t end) except -1
    @cython.locals(size=Py_ssize_t)
    cdef void _deliver(self, Exchange exchange, PooledBuffer buffer, Py_ssize_t start, Py_ssize_t end) except *
    @cython.locals(reusable=bint)
    cdef void _complete(self, Exchange exchange) except *
    cdef void _switch(self, Exchange exchange) except *
    cdef void _open_tunnel(self, Exchange exchange) except *
