cimport cython
from .._http.exchange cimport Exchange, LentPiece
from .._net.carrier cimport Carrier
from .._net.step cimport step_in_c, thrown
from .._net.task_waiter cimport TaskWaiter
from .._net.waiters cimport FutureWaiter

cdef int FINISHED
cdef bint COMPILED

@cython.final
cdef class AsyncPieces(TaskWaiter):
    cdef object _body
    cdef Exchange _exchange
    cdef LentPiece _held
    cdef bint _views
    cdef bint _waiting
    cdef bint over
    @cython.locals(exchange=Exchange)
    cdef object _advance(self)
    cdef void _stop_waiting(self) noexcept
    cdef object _end(self)
    @cython.locals(lent=LentPiece, carrier=Carrier, exchange=Exchange)
    cdef object _take(self)
    @cython.locals(held=LentPiece)
    cdef void _let_go(self) except *

@cython.locals(awaited=AsyncPieces)
cdef object advance(object pieces, object value)
@cython.locals(awaited=AsyncPieces)
cdef bint is_over(object pieces) noexcept
