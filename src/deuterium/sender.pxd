cimport cython
from ._http.exchange cimport Exchange
from ._net.waiters cimport FutureWaiter
from ._pool.async_pool cimport AsyncPool
from .request cimport Request
from .url cimport Origin, UrlCache

cdef double NEVER
cdef int WHOLE
cdef object KNOWN_METHODS

@cython.final
cdef class AsyncSender:
    cdef readonly object loop
    cdef readonly AsyncPool pool
    cdef readonly UrlCache urls
    cdef readonly str base_url
    cdef readonly tuple common
    cdef object timeout
    cdef object connect_s
    cdef double total_s
    cdef double pool_s
    cdef double read_s
    cdef double write_s
    cpdef FutureWaiter waiter(self)
    @cython.locals(origin=Origin, target=str, exchange=Exchange)
    cpdef Exchange plain_exchange(self, str method, str url)
    @cython.locals(exchange=Exchange, origin=Origin, common=tuple, extra=tuple, authority=str)
    cpdef Exchange exchange(self, Request request)
    @cython.locals(now=double)
    cpdef void start(self, Exchange exchange, object waiter, object timeout, int delivery) except *
    @cython.locals(exchange=Exchange)
    cpdef Exchange start_plain(self, str method, str url, object waiter, object timeout)
    cdef void _set_timeout(self, object timeout) except *
