cimport cython
from .._http.exchange cimport Exchange
from .._net.carrier cimport Carrier
from .._net.waiters cimport FutureWaiter

cdef int FINISHED

@cython.final
cdef class AsyncBody:
    cdef readonly object loop
    cdef readonly object answered
    cdef readonly Exchange exchange
    cdef readonly bint taken
    cdef readonly bint closed

@cython.locals(content=bytes)
cdef int _send_piece(Exchange exchange, object piece, object announced) except -1

@cython.locals(carrier=Carrier)
cdef long long _room_now(Exchange exchange) except -2
