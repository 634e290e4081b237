cdef extern from *:
    """
    typedef PyObject *(*deuterium_step)(PyObject *, PyObject *);
    typedef int (*deuterium_over)(PyObject *);

    static PyAsyncMethods deuterium_async_methods;
    static deuterium_step deuterium_advance;
    static deuterium_over deuterium_is_over;

    /* As the await expression of CPython 3.11 and every Task ask: no exception carries the result. */
    static PySendResult deuterium_am_send(PyObject *self, PyObject *value, PyObject **result) {
        *result = deuterium_advance(self, value);
        if (*result == NULL) return PYGEN_ERROR;
        return deuterium_is_over(self) ? PYGEN_RETURN : PYGEN_NEXT;
    }

    /* As the await expression of later ones asks. The result is no tuple and no exception. */
    static PyObject *deuterium_iternext(PyObject *self) {
        PyObject *step = deuterium_advance(self, Py_None);
        if (step != NULL && deuterium_is_over(self)) {
            PyErr_SetObject(PyExc_StopIteration, step);
            Py_DECREF(step);
            return NULL;
        }
        return step;
    }

    static void deuterium_step_in_c(PyObject *kind, deuterium_step advance, deuterium_over is_over) {
        PyTypeObject *type = (PyTypeObject *)kind;
        deuterium_advance = advance;
        deuterium_is_over = is_over;
        type->tp_iternext = deuterium_iternext;
        deuterium_async_methods = *type->tp_as_async; /* which may be its base's */
        deuterium_async_methods.am_send = deuterium_am_send;
        type->tp_as_async = &deuterium_async_methods;
        PyType_Modified(type);
    }
    """
    void step_in_c "deuterium_step_in_c"(
        object kind, object (*advance)(object, object), bint (*is_over)(object) noexcept
    ) noexcept

cpdef object thrown(object kind, object value, object traceback)
