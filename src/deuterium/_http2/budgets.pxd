cimport cython

@cython.final
cdef class Budget:
    cdef readonly double burst
    cdef readonly double per_s
    cdef readonly double tokens
    cdef readonly double updated_at
    cpdef bint take(self, double now)
    cpdef void earn(self, double tokens)
