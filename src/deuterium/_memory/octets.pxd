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

    static CYTHON_INLINE void deuterium_copy_octets(unsigned char *target, const unsigned char *source, Py_ssize_t size) {
        memcpy(target, source, (size_t)size);
    }

    /* What slicing a new memoryview does to its copy, done to the view itself before anyone sees it. */
    static CYTHON_INLINE PyObject *deuterium_window_of(PyObject *data, Py_ssize_t start, Py_ssize_t end, int writable) {
        PyObject *view = PyMemoryView_FromObject(data);
        if (view) {
            Py_buffer *buffer = PyMemoryView_GET_BUFFER(view);
            buffer->buf = (char *)buffer->buf + start;
            buffer->len = end - start;
            buffer->shape[0] = end - start;
            if (!writable) buffer->readonly = 1;
        }
        return view;
    }
    """
    void copy_octets "deuterium_copy_octets"(unsigned char *target, const unsigned char *source, Py_ssize_t size) noexcept
    void move_octets "deuterium_move_octets"(unsigned char *octets, Py_ssize_t at, Py_ssize_t start, Py_ssize_t end) noexcept
    object window_of "deuterium_window_of"(object data, Py_ssize_t start, Py_ssize_t end, bint writable)
    str text_of "deuterium_text_of"(const unsigned char *octets, Py_ssize_t size, bint ascii_only)

cdef bint COMPILED
cdef Py_ssize_t TWICE_BYTES

@cython.locals(octets="const unsigned char *")
cpdef bytes take(bytearray data, Py_ssize_t start, Py_ssize_t end)

cdef str text(const unsigned char *data, Py_ssize_t start, Py_ssize_t end, bint ascii_only)

@cython.locals(target="unsigned char *", origin="const unsigned char *", size=Py_ssize_t)
cpdef void put(bytearray data, Py_ssize_t at, bytes source, Py_ssize_t start, Py_ssize_t end) except *

cpdef void move_down(bytearray data, Py_ssize_t at, Py_ssize_t start, Py_ssize_t end) except *

cpdef object window(bytearray data, Py_ssize_t start, Py_ssize_t end, bint writable)
