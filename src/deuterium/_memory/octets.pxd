cimport cython

cdef bint COMPILED
cdef Py_ssize_t TWICE_BYTES

@cython.locals(octets="const unsigned char *")
cpdef bytes take(bytearray data, Py_ssize_t start, Py_ssize_t end)

@cython.locals(target="unsigned char *", origin="const unsigned char *", index=Py_ssize_t, size=Py_ssize_t)
cpdef void put(bytearray data, Py_ssize_t at, bytes source, Py_ssize_t start, Py_ssize_t end) except *
