cdef extern from *:
    """
    static CYTHON_INLINE void deuterium_untrack(PyObject *thing) { PyObject_GC_UnTrack(thing); }

    static CYTHON_INLINE void deuterium_track(PyObject *thing) {
        if (!PyObject_GC_IsTracked(thing)) PyObject_GC_Track(thing);
    }
    """
    void gc_untrack "deuterium_untrack"(object thing) noexcept
    void gc_track "deuterium_track"(object thing) noexcept

cdef bint COMPILED

cpdef void untrack(object thing) noexcept
cpdef void track(object thing) noexcept
