cimport cython
from .fetching cimport fetch
from .sender cimport AsyncSender

cdef int FINISHED, PIECES, WHOLE

@cython.locals(sender=AsyncSender)
cdef object start(object client, str method, object url)
