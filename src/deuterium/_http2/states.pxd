cdef bytes TRANSITIONS

cpdef int after(int state, int event)
