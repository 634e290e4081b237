cimport cython
from .._http cimport field as fields
from .._http.field cimport Field
from .._memory cimport octets

cdef int CONTENT_LENGTH, MALFORMED, LF, CR, SP, HTAB
cdef Py_ssize_t MAX_LINES, MAX_SECTION
cdef bytes VERSION
cdef dict KNOWN_NAMES

@cython.final
cdef class FieldLines:
    cdef object strings
    cdef object parser
    cdef Py_ssize_t line, scanned
    cdef readonly Py_ssize_t lines
    cdef readonly list pairs
    cdef readonly int kinds
    cdef readonly int status
    cdef readonly str reason
    cdef readonly str version
    cdef str rule
    cdef readonly long long content_length
    cdef readonly list codings
    cdef bint close, keep_alive
    cdef readonly bint persistent
    cdef bint trailers

    cpdef void begin(self) except *
    cpdef void begin_trailers(self) except *
    @cython.locals(limit=Py_ssize_t, line=Py_ssize_t, position=Py_ssize_t, newline=Py_ssize_t, size=Py_ssize_t)
    cpdef Py_ssize_t find_end(self, bytearray data, Py_ssize_t start, Py_ssize_t end) except -2
    @cython.locals(section=bytes)
    cpdef void parse(self, bytearray data, Py_ssize_t start, Py_ssize_t end) except *
    cpdef void drop_parser(self) except *
    @cython.locals(version=str)
    cdef void _check_status_line(self) except *
    @cython.locals(text=str)
    cpdef on_status(self, bytes reason)
    @cython.locals(known=object, name=str, value=str, length=Py_ssize_t, field=Field)
    cpdef on_header(self, bytes raw_name, bytes raw_value)
    @cython.locals(name=str)
    cdef str _name(self, bytes raw_name)
    @cython.locals(kind=int)
    cdef void _classify(self, Field field) except *

@cython.locals(character=Py_UCS4)
cpdef bint has_control(str text) except -1

@cython.locals(p="const unsigned char *", position=Py_ssize_t)
cpdef Py_ssize_t find_line_end(bytearray data, Py_ssize_t start, Py_ssize_t end) except -2
