cimport cython
from .._http.engine cimport Engine

cdef Py_ssize_t LARGE_SEGMENT

@cython.final
cdef class BatchedWriter:
    cdef object loop
    cdef object transport
    cdef Engine source
    cdef object tls
    cdef object clock
    cdef readonly bint scheduled
    cdef readonly bint paused
    cdef readonly long long octets_written
    cdef readonly long long writes
    cdef public Py_ssize_t requests
    cdef public object on_progress
    cdef public object on_idle
    cdef object turn_verb
    cpdef void schedule(self) except *
    cpdef void on_turn(self) except *
    @cython.locals(segments=list)
    cpdef void flush(self) except *
    cdef void _write_tls(self) except *
    cdef void _write(self, object data) except *
    cpdef void pause(self)
    cpdef void resume(self) except *
    cpdef void close(self)
