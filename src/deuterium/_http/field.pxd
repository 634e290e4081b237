cimport cython
from deuterium._memory cimport octets

cdef int STATUS, OTHER_PSEUDO, CONTENT_LENGTH, CONNECTION_SPECIFIC, TE, MALFORMED
cdef Py_ssize_t LINE_OVERHEAD, DIGITS_LIMIT
cdef dict KIND_OF_NAME
cdef bytes _token_octets, _name_octets, _value_octets
cdef const unsigned char *TOKEN
cdef const unsigned char *NAME
cdef const unsigned char *VALUE
cdef Py_UCS4 NUL, CR, LF

# Only strings and a tuple of strings: no reference cycle can pass through a Field.
@cython.final
@cython.no_gc
cdef class Field:
    cdef readonly str name, value
    cdef readonly tuple pair
    cdef readonly int kind, name_kind
    cdef public int sharing
    cdef readonly long long number
    cdef readonly Py_ssize_t size

cpdef Field make_field(str name, str value)

@cython.locals(length=Py_ssize_t, kind=int, number="long long", field=Field)
cpdef Field build_field(str name, int name_kind, int sharing, str value, bint illegal)

@cython.locals(character=Py_UCS4)
cdef bint has_illegal_octet(str value, Py_ssize_t length) except -1

@cython.locals(known=object, character=Py_UCS4, octet=Py_UCS4)
cpdef int kind_of_name(str name) except -1

@cython.locals(character=Py_UCS4, digit=int, number="long long")
cpdef long long decimal(str text) except -2

@cython.locals(character=Py_UCS4, octet=Py_UCS4)
cpdef void check_name(str name) except *

@cython.locals(length=Py_ssize_t, character=Py_UCS4, octet=Py_UCS4)
cpdef void check_value(str value) except *
