cimport cython

cdef extern from *:
    """
    #if defined(Py_GIL_DISABLED) || defined(DEUTERIUM_GUARD_MUTEX)
    typedef PyMutex deuterium_mutex;
    #define deuterium_mutex_lock(mutex) PyMutex_Lock(&(mutex))
    #define deuterium_mutex_unlock(mutex) PyMutex_Unlock(&(mutex))
    #else
    typedef char deuterium_mutex;
    #define deuterium_mutex_lock(mutex) ((void)(mutex))
    #define deuterium_mutex_unlock(mutex) ((void)(mutex))
    #endif
    """
    ctypedef struct deuterium_mutex:
        pass
    void deuterium_mutex_lock(deuterium_mutex mutex) noexcept nogil
    void deuterium_mutex_unlock(deuterium_mutex mutex) noexcept nogil

cdef bint COMPILED

@cython.final
cdef class Guard:
    cdef deuterium_mutex mutex

    cpdef void acquire(self) noexcept
    cpdef void release(self) noexcept

cdef inline void guard_lock(Guard guard) noexcept:
    deuterium_mutex_lock(guard.mutex)

cdef inline void guard_unlock(Guard guard) noexcept:
    deuterium_mutex_unlock(guard.mutex)
