cimport cython
from .._http.engine cimport Engine
from .._http.exchange cimport Exchange
from . cimport gate as gates
from .blocking_transport cimport BlockingTransport
from .blocking_waiter cimport ThreadWaiter
from .gate_queue cimport GateQueue

cdef double NEVER, TICK_S, WRITER_TICK_S, DEFER_S, GUARD_S
cdef int FINISHED, MANY_THREADS, DEFER_FEW, DEFER_MANY

cdef class BlockingDriver(BlockingTransport):
    cdef readonly dict followers
    cdef readonly GateQueue queue
    cdef long long deferred
    cdef double deferred_at
    cdef public object on_tick
    cdef double next_tick
    @cython.locals(
        queue=GateQueue, leads=bint, watches=bint, over=bint, blocked=bint, opened=bint, alone=bint, expired=bint, segments=list, due=list,
        several=list, now=double, limit=double, passed="long long"
    )
    cpdef void wait(self, Exchange exchange, ThreadWaiter waiter) except *
    cpdef bint lead(self) except -1
    cpdef void serve(self, int came) except *
    cpdef void follow(self) except *
    cpdef double due(self) except? -1
    cpdef void expire(self, double now) except *
    cpdef int events_wanted(self) except -1
    @cython.locals(segments=list)
    cpdef void flush(self) except *
    @cython.locals(due=bint)
    cpdef object next_piece(self, Exchange exchange)
    cpdef long long room(self, Exchange exchange, ThreadWaiter waiter) except -2
    cpdef void send_content(self, Exchange exchange, bytes piece, bint end) except *
    @cython.locals(queue=GateQueue)
    cdef list _leave(self, bint leads, bint watches, bint opened, long long passed)
    @cython.locals(waiter=ThreadWaiter)
    cdef bint _hand_on(self) except -1
    cdef void _leave_reading(self) except *
    @cython.locals(queue=GateQueue, due=Py_ssize_t, active=Py_ssize_t, many=bint)
    cdef bint _is_ours(self, bint leads, bint over, double now) except -1
    cdef object _fall_asleep(self, ThreadWaiter waiter)
    cdef void _end_sleep(self, ThreadWaiter waiter, object gate, bint opened) except *
    cdef object _stand_guard(self)
    cdef void _look_after(self, long long passed) except *
    cdef void _tick(self, double now) except *
    @cython.locals(waiter=ThreadWaiter)
    cdef void _stir(self) except *
