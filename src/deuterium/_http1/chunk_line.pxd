cimport cython

cdef Py_ssize_t MAX_CHUNK_LINE
cdef long long LARGEST_BEFORE_DIGIT, MAX_CHUNK_EXCESS, CHUNK_ALLOWANCE
cdef int NO_DIGIT, CR, LF, HTAB, SP, SEMICOLON, DEL
cdef bytes _digit_octets
cdef const unsigned char *DIGIT

@cython.final
cdef class ChunkLine:
    cdef readonly long long size
    cdef readonly long long excess

    cpdef void begin(self) except *
    @cython.locals(line="const unsigned char *", limit=Py_ssize_t, position=Py_ssize_t, size="long long", digit=int)
    cpdef Py_ssize_t read(self, bytearray data, Py_ssize_t start, Py_ssize_t end) except -2
    @cython.locals(line="const unsigned char *", position=Py_ssize_t, octet=int)
    cdef Py_ssize_t _extension(self, bytearray data, Py_ssize_t start, Py_ssize_t limit) except -1
    @cython.locals(allowed="long long")
    cdef void _account(self, long long octets) except *
