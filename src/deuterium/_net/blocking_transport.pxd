cimport cython
from .._http.engine cimport Engine
from .._http.exchange cimport Exchange, Waiter
from .busy_poll cimport BusyPoll
from .carrier cimport Carrier
from .receive_buffer cimport ReceiveBuffer
from .tls_input cimport TlsInput

cdef double TICK_S
cdef int FINISHED, POLLIN, POLLOUT
cdef Py_ssize_t MAX_SEGMENTS, NORMAL_READ, SMALL_READ

cdef class BlockingTransport(Carrier):
    cdef readonly object sock
    cdef object receive_into
    cdef object send_octets
    cdef object lock
    cdef readonly object tls
    cdef TlsInput input
    cdef object tls_lock
    cdef bint session_due
    cdef ReceiveBuffer plain
    cdef ReceiveBuffer inbound
    cdef Py_ssize_t read_size
    cdef Py_ssize_t last_read
    cdef object poller
    cdef object poll
    cdef public BusyPoll busy_poll
    cdef int events
    cdef readonly bint reading
    cdef bint receiving
    cdef bint in_receive
    cdef readonly bint writing
    cdef readonly bint mute
    cdef bint arrived
    cdef readonly list backlog
    cdef bint clogged
    cdef readonly list abandoned
    cdef bint shut
    cdef readonly long long reads
    cdef readonly long long writes
    cdef readonly long long octets_read
    @cython.locals(engine=Engine)
    cpdef void submit(self, Exchange exchange, double now) except *
    @cython.locals(now=double)
    cpdef void cancel(self, Exchange exchange, object error) except *
    cpdef void consumed(self, Exchange exchange, long long octets) except *
    @cython.locals(exchange=Exchange)
    cpdef void sweep(self) except *
    cdef void _expire(self, double now) except *
    cdef int _events(self) except -1
    @cython.locals(ready=list)
    cdef void _read(self, int events, double wait_s, bint alone) except *
    cdef void _after_poll(self, int came) except *
    @cython.locals(octets=Py_ssize_t)
    cdef void _receive(self) except *
    @cython.locals(plain=ReceiveBuffer, source=TlsInput, octets=Py_ssize_t, room=Py_ssize_t)
    cdef void _decrypt(self) except *
    cdef void _receive_end(self) except *
    cdef void _receive_eof(self) except *
    @cython.locals(plain=ReceiveBuffer, engine=Engine, now=double)
    cdef void _take_in(self) except *
    @cython.locals(engine=Engine)
    cdef void _after_receive(self) except *
    cdef void _rest(self) except *
    @cython.locals(engine=Engine, now=double, exchange=Exchange, waiter=Waiter, ready=list, writable=list)
    cdef void _wake(self) except *
    @cython.locals(rest=list)
    cdef void _write(self, list segments) except *
    @cython.locals(rest=list)
    cdef void _write_backlog(self, double wait_s) except *
    cdef void _end_writing(self, list rest) except *
    cdef void _break_off(self, object error) except *
    cdef list _encrypt(self, list segments)
    @cython.locals(at=Py_ssize_t, count=Py_ssize_t, sent=Py_ssize_t, size=Py_ssize_t)
    cdef list _send(self, list segments)
    cdef void _fail(self, object error) except *
    cdef void _fail_from_role(self, object error) except *
    cdef void _say_goodbye(self) except *
    cdef void _lose(self) except *
    cdef void _close_socket(self) except *
    cdef void _stir(self) except *
