cimport cython
from ._http.exchange cimport Exchange

cdef class Response:
    cdef object _request
    cdef Exchange _exchange
    cdef readonly int status_code
    cdef readonly str http_version
    cdef object _headers
    cdef object _source
    cdef object _content
    cdef public object history
