cimport cython

cdef bytes _classes
cdef const unsigned char *CLASSES

@cython.locals(seen=int, position=Py_ssize_t)
cdef int classes_of(const unsigned char *data, Py_ssize_t start, Py_ssize_t end) noexcept
