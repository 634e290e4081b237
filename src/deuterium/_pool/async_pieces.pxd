cimport cython
from .._http.exchange cimport Exchange, LentPiece
from .._net.carrier cimport Carrier
from .._net.task_waiter cimport TaskWaiter
from .._net.waiters cimport FutureWaiter

cdef int FINISHED
cdef bint COMPILED

@cython.final
cdef class AsyncPieces:
    cdef object _body
    cdef Exchange _exchange
    cdef LentPiece _held
    cdef bint _views
    cdef bint _waiting
    @cython.locals(lent=LentPiece, carrier=Carrier, exchange=Exchange)
    cdef object _take(self)
    @cython.locals(held=LentPiece)
    cdef void _let_go(self) except *
