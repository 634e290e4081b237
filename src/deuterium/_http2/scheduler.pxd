cimport cython
from .stream cimport Stream

@cython.final
cdef class Scheduler:
    cdef list queues
    cdef readonly Py_ssize_t length
    cpdef void add(self, Stream stream) except *
    @cython.locals(stream=Stream)
    cpdef object next(self)
    cpdef void put_back(self, Stream stream) except *
    cpdef void remove(self, Stream stream) except *
