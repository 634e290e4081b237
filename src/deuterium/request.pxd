cimport cython

cdef double NEVER

cdef object _KNOWN_METHODS, _TOKEN, _CONNECTION_SPECIFIC, _HELD, _NOT_IN_TRAILERS

cdef class Request:
    cdef public str method
    cdef public object origin
    cdef public str target
    cdef public tuple common
    cdef public tuple extra
    cdef public object timeout
    cdef public object extensions
    cdef public object stream
    cdef public bint stream_started
    cdef public double deadline
    cdef object _content
    cdef object _headers
    cpdef void take_content_of(self, Request other) except *
    @cython.locals(name=str, value=str)
    cpdef tuple wire_fields(self)
    cdef tuple _held(self, tuple extra)
