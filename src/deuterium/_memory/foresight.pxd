cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
      #define DEUTERIUM_PREFETCH(address) __builtin_prefetch(address)
    #else
      #define DEUTERIUM_PREFETCH(address) ((void)(address))
    #endif

    static CYTHON_INLINE void deuterium_prefetch(size_t address, Py_ssize_t octets) {
        const char *at = (const char *)address, *end = at + octets;
        for (; at < end; at += 64) DEUTERIUM_PREFETCH(at);
    }

    /* Where the collector's header begins, which lies before an object. */
    static CYTHON_INLINE size_t deuterium_address(PyObject *thing) {
        return thing == Py_None ? 0 : (size_t)thing - 16;
    }

    static CYTHON_INLINE size_t deuterium_owner_address(PyObject *called) {
        PyObject *owner = PyCFunction_Check(called) ? PyCFunction_GET_SELF(called) : NULL;
        return owner == NULL ? 0 : deuterium_address(owner);
    }
    """
    void prefetch "deuterium_prefetch"(size_t address, Py_ssize_t octets) noexcept
    size_t address_in_c "deuterium_address"(object thing) noexcept
    size_t owner_address_in_c "deuterium_owner_address"(object called) noexcept

cdef bint COMPILED

cpdef void foresee(size_t address, Py_ssize_t octets) noexcept
cpdef size_t address_of(object thing) noexcept
cpdef size_t owner_address(object called) noexcept
