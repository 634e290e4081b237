cimport cython
from deuterium._http cimport octet_class
from deuterium._memory cimport octets

cdef unsigned int SYMBOLS, ACCEPTING, FAILED, STATE, WORD
cdef int FIRST_SHIFT, SECOND_SHIFT, CLASS_SHIFT
cdef unsigned int AUTOMATON[65536]
cdef unsigned int CODES[256]
cdef unsigned char LENGTHS[256]

cpdef Py_ssize_t decode_huffman(bytearray data, Py_ssize_t start, Py_ssize_t end, bytearray out) except -1

@cython.locals(count=Py_ssize_t, entry="unsigned int", seen="unsigned int", position=Py_ssize_t)
cdef Py_ssize_t decode_octets(
    const unsigned char *data, Py_ssize_t start, Py_ssize_t end, unsigned char *out
) except -1

@cython.locals(source="const unsigned char *", bits=Py_ssize_t, position=Py_ssize_t)
cpdef Py_ssize_t huffman_size(bytes data) except -1

@cython.locals(
    source="const unsigned char *", target="unsigned char *", size=Py_ssize_t, stop=Py_ssize_t,
    pending="unsigned long long", bits=int, index=Py_ssize_t, octet="unsigned char"
)
cpdef Py_ssize_t encode_huffman(bytes data, bytearray out, Py_ssize_t position) except -2
