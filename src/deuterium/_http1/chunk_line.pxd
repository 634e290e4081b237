cimport cython

cdef Py_ssize_t MAX_CHUNK_LINE
cdef long long LARGEST_BEFORE_DIGIT, MAX_CHUNK_EXCESS, CHUNK_ALLOWANCE
cdef int NO_DIGIT
cdef bytes _digit_octets
cdef const unsigned char *DIGIT

@cython.final
cdef class ChunkLine:
    cdef readonly long long size
    cdef readonly long long excess

    cpdef void begin(self) except *
    @cython.locals(newline=Py_ssize_t, stop=Py_ssize_t, position=Py_ssize_t, line="const unsigned char *",
                   size="long long", digit=int, octet=int)
    cpdef Py_ssize_t read(self, bytearray data, Py_ssize_t start, Py_ssize_t end) except -2
    @cython.locals(allowed="long long")
    cdef void _account(self, long long octets) except *
