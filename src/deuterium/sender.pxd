cimport cython
from ._http.exchange cimport Exchange
from ._memory cimport collector
from ._net.blocking_waiter cimport ThreadWaiter
from ._net.task_waiter cimport loop_getter
from ._net.waiters cimport FutureWaiter
from ._pool.async_pool cimport AsyncPool
from ._pool.sync_pool cimport SyncPool
from .response cimport Response
from .url cimport Origin, UrlCache

cdef bint COMPILED
cdef double NEVER
cdef int SET_COOKIE, MISDIRECTED
cdef object KNOWN_METHODS

cdef class Sender:
    cdef readonly UrlCache urls
    cdef readonly str base_url
    cdef readonly tuple common
    cdef readonly object client_timeout
    cdef object timeout
    cdef object cookies
    cdef dict cookie_store
    cdef list cookies_edition
    cdef tuple cookies_known
    cdef bint brings_cookies
    cdef list request_hooks
    cdef list response_hooks
    cdef object retry_statuses
    cdef bint simple
    cdef object connect_s
    cdef double total_s
    cdef double pool_s
    cdef double read_s
    cdef double write_s
    cpdef void refresh(self, object core) except *
    cpdef bint is_plain(self) except -1
    @cython.locals(status=int)
    cpdef bint is_final(self, Exchange exchange) except -1
    cdef bint _is_final(self, int status) except -1
    @cython.locals(origin=Origin, target=str, exchange=Exchange)
    cpdef Exchange plain_exchange(self, str method, str url)
    @cython.locals(known=tuple, secure=bint)
    cdef void _add_cookies(self, Exchange exchange, Origin origin, str target) except *
    cdef void _bound(self, Exchange exchange, object timeout, double now) except *
    cdef void _set_timeout(self, object timeout) except *

@cython.final
cdef class AsyncSender(Sender):
    cdef readonly object loop
    cdef readonly AsyncPool pool
    cdef readonly object answered
    cdef object loop_getter
    cdef readonly bint standard
    cdef void match_loop(self) except *
    cpdef FutureWaiter waiter(self)
    cpdef void change_loop(self) except *
    cpdef void submit(self, Exchange exchange, object waiter, object connect_s) except *
    @cython.locals(now=double, exchange=Exchange)
    cpdef Exchange start_plain(self, str method, str url, object waiter, object timeout)

@cython.final
cdef class SyncSender(Sender):
    cdef readonly SyncPool pool
    cpdef void submit(self, Exchange exchange, object waiter, object connect_s) except *
    @cython.locals(now=double, exchange=Exchange)
    cpdef Exchange start_plain(self, str method, str url, object waiter, object timeout)
    @cython.locals(waiter=ThreadWaiter, exchange=Exchange)
    cpdef Exchange fetch_plain(self, str method, str url, object timeout)
