cimport cython

cdef Py_ssize_t VALUE_LIMIT, OCTETS_LIMIT, INTEGER_OCTETS

cpdef long long decode_integer(bytearray data, Py_ssize_t position, Py_ssize_t end, long long prefix) except -1

@cython.locals(value="long long", shift=int, count=int, octet="long long")
cdef long long read_integer(
    const unsigned char *octets, Py_ssize_t position, Py_ssize_t end, long long prefix
) except -1

@cython.locals(octets="unsigned char *")
cpdef Py_ssize_t encode_integer(
    bytearray out, Py_ssize_t position, int first, int prefix, Py_ssize_t value
) except -1
