cimport cython

cdef double HELD_UP_S, MAX_GRACE_S


@cython.final
cdef class Lenience:
    cdef readonly double covered, until
    @cython.locals(late_s=double)
    cpdef bint allows(self, double due, double now) noexcept
