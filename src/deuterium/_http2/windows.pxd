cimport cython
cdef long long MAX_WINDOW
cdef long long OVERFLOW

cpdef long long enlarged(long long window, long long increment)
@cython.locals(room="long long")
cpdef long long sendable(long long stream_window, long long connection_window, long long frame_limit)
cpdef long long update_at(long long size)
