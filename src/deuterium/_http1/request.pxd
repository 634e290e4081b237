cimport cython
from .._http cimport field as fields
from .._http.exchange cimport Exchange

cdef int LENGTH, CHUNKED, EXPECT, CLOSE, UPGRADE, CONNECTION, HOST
cdef dict FLAG_OF_NAME

@cython.final
cdef class RequestEncoder:
    cdef tuple common
    cdef str common_text
    cdef int common_flags
    cdef long long common_length
    cdef readonly int flags
    cdef readonly long long content_length
    cdef bint forward
    cdef str forward_text

    cpdef void forward_by(self, tuple section) except *
    @cython.locals(lines=str, method=str, authority=str, target=str)
    cpdef bytes encode(self, Exchange exchange)
    @cython.locals(authority=str, path=str)
    cdef str _absolute(self, Exchange exchange)
    @cython.locals(lines=str)
    cpdef bytes encode_trailers(self, tuple trailers)
    @cython.locals(text=str)
    cdef void _keep_common(self, tuple common) except *
    @cython.locals(lines=list, name=str, value=str, lower=str)
    cdef str _lines(self, tuple section)
    @cython.locals(length="long long")
    cdef void _classify(self, int flag, str value) except *
    @cython.locals(flags=int)
    cdef str _framing(self, Exchange exchange)
    cdef str _framing_of_body(self, Py_ssize_t length)

cdef void _check_visible(str text, str what, str section) except *
