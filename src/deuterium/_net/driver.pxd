cimport cython
from .._http.engine cimport Engine
from .._http.exchange cimport Exchange, Waiter, foresee_waiters
from .carrier cimport Carrier
from .batched_writer cimport BatchedWriter
from .busy_poll cimport TurnPoll
from .low_water cimport LowWater
from .receive_buffer cimport ReceiveBuffer
from .tls_input cimport TlsInput

cdef double NEVER
cdef int AWAITING, FINISHED
cdef Py_ssize_t FLUSH_AT, MANY_STREAMS, NORMAL_READ, PORTION, PORTIONS, RECORD, SMALL_READ, SMALL_RESPONSE
cdef Py_ssize_t CROWD, TURN_OCTETS, TURN_READS

cdef class AsyncDriver(Carrier):
    cdef readonly object loop
    cdef readonly bint has_tasks
    cdef readonly LowWater low_water
    cdef readonly object tls
    cdef TlsInput input
    cdef object choose
    cdef object closing
    cdef readonly object ready
    cdef readonly object transport
    cdef readonly object peer
    cdef readonly BatchedWriter writer
    cdef ReceiveBuffer plain
    cdef ReceiveBuffer inbound
    cdef Py_ssize_t read_size
    cdef Py_ssize_t last_read
    cdef bint reading_paused
    cdef bint session_due
    cdef public TurnPoll turn_poll
    cdef object timer
    cdef double timer_at
    cdef readonly object failure
    cdef readonly long long reads
    cdef Py_ssize_t turn_reads
    cdef Py_ssize_t turn_octets
    cdef readonly long long octets_read

    @cython.locals(engine=Engine, writer=BatchedWriter, active=Py_ssize_t)
    cpdef void submit(self, Exchange exchange, double now) except *
    @cython.locals(engine=Engine)
    cpdef void after_send(self) except *
    @cython.locals(engine=Engine)
    cpdef void cancel(self, Exchange exchange, object error) except *
    @cython.locals(engine=Engine)
    cpdef void consumed(self, Exchange exchange, long long octets) except *
    cpdef object get_buffer(self, object sizehint)
    @cython.locals(engine=Engine)
    cdef Py_ssize_t _next_read(self) except -1
    cpdef void go_on(self) except *
    @cython.locals(small=bint)
    cpdef void buffer_updated(self, Py_ssize_t octets) except *
    @cython.locals(engine=Engine, plain=ReceiveBuffer, now=double)
    cdef void _receive(self) except *
    @cython.locals(plain=ReceiveBuffer, engine=Engine, source=TlsInput, octets=Py_ssize_t, read=Py_ssize_t,
                   room=Py_ssize_t, ended=bint, now=double)
    cdef void _receive_tls(self) except *
    cdef void _wake_here(self, double now) except *
    @cython.locals(engine=Engine, exchange=Exchange, waiter=Waiter, told=bint, ready=list)
    cdef bint _wake_each(self, bint direct, double now) except -1
    @cython.locals(engine=Engine)
    cdef void _after_receive(self) except *
    cpdef void rest(self) except *
    @cython.locals(engine=Engine, exchange=Exchange, waiter=Waiter)
    cpdef void wake(self) except *
    @cython.locals(wait_s=double)
    cdef void _arm(self, double deadline) except *
