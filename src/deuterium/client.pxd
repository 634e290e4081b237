cimport cython

cdef int FINISHED, PIECES, WHOLE
