cimport cython

cdef Py_ssize_t STEPS, BUCKETS
cdef long long LARGEST

cdef class Histogram:
    cdef readonly list counts
    cdef readonly long long count
    cdef readonly double total
    cdef readonly double smallest
    cdef readonly double largest
    @cython.locals(nanoseconds=cython.longlong, index=Py_ssize_t, counts=list)
    cpdef void record(self, double seconds) except *
    cpdef void merge(self, Histogram other) except *
    cpdef double percentile(self, double percent) except? -1
    cpdef double mean(self) except? -1

@cython.locals(shift=Py_ssize_t)
cpdef Py_ssize_t bucket_of(long long nanoseconds) except -1
@cython.locals(shift=Py_ssize_t)
cpdef long long upper_edge(Py_ssize_t index) except -1
