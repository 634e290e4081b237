cimport cython
from ._http.exchange cimport Exchange
from ._memory cimport collector
from ._memory.foresight cimport address_of
from ._net.step cimport step_in_c, thrown
from ._net.task_waiter cimport TaskWaiter
from .response cimport Response
from .sender cimport AsyncSender

@cython.final
cdef class Fetching(TaskWaiter):
    cdef AsyncSender sender
    cdef object client
    cdef str method
    cdef str url
    cdef object timeout
    cdef object follow_redirects
    cdef Exchange exchange
    cdef object rest
    cdef bint over
    cdef void ask(self, AsyncSender sender, object client, str method, str url, object timeout, object follow_redirects) noexcept
    @cython.locals(exchange=Exchange, sender=AsyncSender)
    cdef object _advance(self, object value)
    @cython.locals(exchange=Exchange, sender=AsyncSender)
    cdef object _start(self)
    cdef object _go_on(self, object value)
    cdef void _end(self) noexcept

@cython.locals(awaited=Fetching)
cdef object advance(object fetching, object value)
@cython.locals(awaited=Fetching)
cdef bint is_over(object fetching) noexcept
cdef bint COMPILED

@cython.locals(fetching=Fetching)
cpdef object fetch(AsyncSender sender, object client, str method, str url, object timeout, object follow_redirects)
