cimport cython
from deuterium._http cimport field as fields

cdef str SEPARATOR

cdef class FieldLines:
    cdef readonly list pairs
    cdef readonly bint borrowed
    cdef readonly tuple frozen
    cdef readonly dict joined
    cdef readonly dict spelling

    cpdef tuple lines(self)
    cpdef list multi_items(self)
    @cython.locals(wanted=str, values=list)
    cpdef list get_list(self, str key, bint split_commas=*)

    cpdef void _adopt(self, list pairs) except *
    cdef void _adopt_changed(self, list pairs) except *
    cdef list _own(self)
    @cython.locals(joined=dict, repeated=dict, name=str, value=str, values=list)
    cdef dict _index(self)
    @cython.locals(index=dict)
    cdef object _find(self, str key)
    @cython.locals(spelled=str, text=str, name=str)
    cdef tuple _checked(self, object key, object value)
    @cython.locals(pairs=list)
    cdef void _extend(self, object headers) except *
    cpdef void _spell(self, dict spelling) except *
    @cython.locals(names=dict, pairs=list)
    cdef void _replace(self, FieldLines added) except *
