cimport cython
from ._http.exchange cimport Exchange

cdef int CONTENT_ENCODING
cdef list NO_HISTORY

cdef class Response:
    cdef object _request
    cdef readonly Exchange _exchange
    cdef readonly int status_code
    cdef object _headers
    cdef object _source
    cdef object _content
    cdef object _defaults
    cdef public object next_request
    cdef public list history
