cimport cython

cdef extern from *:
    """
    static CYTHON_INLINE PyObject *deuterium_text_of(const unsigned char *octets, Py_ssize_t size, int ascii_only) {
        PyObject *text = PyUnicode_New(size, ascii_only ? 127 : 255);
        if (text) memcpy(PyUnicode_1BYTE_DATA(text), octets, (size_t)size);
        return text;
    }

    static CYTHON_INLINE void deuterium_move_octets(unsigned char *octets, Py_ssize_t at, Py_ssize_t start, Py_ssize_t end) {
        memmove(octets + at, octets + start, (size_t)(end - start));
    }
    """
    void move_octets "deuterium_move_octets"(unsigned char *octets, Py_ssize_t at, Py_ssize_t start, Py_ssize_t end) noexcept
    str text_of "deuterium_text_of"(const unsigned char *octets, Py_ssize_t size, bint ascii_only)

cdef bint COMPILED
cdef Py_ssize_t TWICE_BYTES

@cython.locals(octets="const unsigned char *")
cpdef bytes take(bytearray data, Py_ssize_t start, Py_ssize_t end)

cdef str text(const unsigned char *data, Py_ssize_t start, Py_ssize_t end, bint ascii_only)

@cython.locals(target="unsigned char *", origin="const unsigned char *", index=Py_ssize_t, size=Py_ssize_t)
cpdef void put(bytearray data, Py_ssize_t at, bytes source, Py_ssize_t start, Py_ssize_t end) except *

cpdef void move_down(bytearray data, Py_ssize_t at, Py_ssize_t start, Py_ssize_t end) except *
