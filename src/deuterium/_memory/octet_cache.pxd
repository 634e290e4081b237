cimport cython
from libc.string cimport memcmp

cdef extern from *:
    """
    static CYTHON_INLINE unsigned long long deuterium_hash_of(const unsigned char *octets, Py_ssize_t size) {
        const unsigned long long factor = 0x9E3779B97F4A7C15ULL;
        unsigned long long hash = (unsigned long long)size * factor, word = 0;
        for (; size >= 8; octets += 8, size -= 8) {
            memcpy(&word, octets, 8);
            hash = (hash ^ word) * factor;
            hash ^= hash >> 32;
        }
        if (size >= 4) {
            unsigned int first, last;
            memcpy(&first, octets, 4);
            memcpy(&last, octets + size - 4, 4);
            word = (unsigned long long)first << 32 | last;
        } else {
            for (word = 0; size > 0; size--) word = word << 8 | *octets++;
        }
        hash = (hash ^ word) * factor;
        return hash ^ hash >> 32;
    }
    """
    unsigned long long hash_of "deuterium_hash_of"(const unsigned char *octets, Py_ssize_t size) noexcept nogil

cdef bint COMPILED

@cython.final
cdef class Entry:
    cdef object made
    cdef unsigned long long mark
    cdef bytes octets

@cython.final
cdef class OctetCache:
    cdef Py_ssize_t _bound, _pairs
    cdef dict _known
    cdef list _places
    cdef bytearray _seen

    @cython.locals(place=Py_ssize_t, entry=Entry, other=Entry)
    cpdef find(self, const unsigned char *data, Py_ssize_t start, Py_ssize_t end, unsigned long long mark)
    @cython.locals(pair=Py_ssize_t, octet=int)
    cpdef bint wants(self, unsigned long long mark) except -1
    @cython.locals(pair=Py_ssize_t, entry=Entry)
    cpdef void put(
        self, const unsigned char *data, Py_ssize_t start, Py_ssize_t end, unsigned long long mark, object made
    ) except *

cpdef unsigned long long mark_of(const unsigned char *data, Py_ssize_t start, Py_ssize_t end) noexcept

@cython.locals(ours="const unsigned char *", size=Py_ssize_t)
cdef bint is_same(bytes known, const unsigned char *data, Py_ssize_t start, Py_ssize_t end) noexcept
