cimport cython

cdef bint COMPILED

@cython.locals(octets="const unsigned char *")
cpdef bytes take(bytearray data, Py_ssize_t start, Py_ssize_t end)
