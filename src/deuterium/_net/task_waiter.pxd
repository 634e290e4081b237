cimport cython
from .._http.exchange cimport Exchange, Waiter
from .._memory.foresight cimport address_of, foresee, owner_address
from .carrier cimport Carrier

cdef extern from *:
    """
    /* What Context.run does, without looking for it by name. */
    static PyObject *deuterium_run_in(PyObject *context, PyObject *called, PyObject *argument) {
        PyObject *result;
        if (PyContext_Enter(context)) return NULL;
        result = PyObject_CallOneArg(called, argument);
        if (PyContext_Exit(context)) Py_CLEAR(result);
        return result;
    }

    static PyObject *deuterium_itself(PyObject *self, PyObject *unused) {
        (void)unused;
        Py_INCREF(self);
        return self;
    }

    static PyMethodDef deuterium_itself_def = {"get_loop", deuterium_itself, METH_NOARGS, NULL};

    static PyObject *deuterium_returning(PyObject *thing) { return PyCFunction_New(&deuterium_itself_def, thing); }

    typedef PyObject *(*deuterium_reader)(PyObject *);
    typedef void (*deuterium_writer)(PyObject *, PyObject *);
    typedef PyObject *(*deuterium_adder)(PyObject *, PyObject *, PyObject *);

    static deuterium_reader deuterium_blocking, deuterium_getter;
    static deuterium_writer deuterium_block;
    static deuterium_adder deuterium_add;
    static PyObject *deuterium_blocking_name, *deuterium_get_loop_name, *deuterium_add_name, *deuterium_add_function;
    static PyObject *deuterium_context_name;

    /* Bound to a waiter as a method is, which costs less than to make a function of C's that is bound. */
    static PyObject *deuterium_add_done_callback(
        PyObject *unused, PyObject *const *arguments, Py_ssize_t count, PyObject *names
    ) {
        Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
        (void)unused;
        if (count != 2 || named > 1
            || (named == 1 && PyTuple_GET_ITEM(names, 0) != deuterium_context_name
                && PyUnicode_Compare(PyTuple_GET_ITEM(names, 0), deuterium_context_name) != 0))
            return PyErr_Format(PyExc_TypeError, "add_done_callback takes a function and, by its name, a context");
        return deuterium_add(arguments[0], arguments[1], named ? arguments[2] : Py_None);
    }

    static PyMethodDef deuterium_add_def = {
        "add_done_callback", (PyCFunction)(void (*)(void))deuterium_add_done_callback, METH_FASTCALL | METH_KEYWORDS, NULL
    };

    /* A Task looks up four names each time it waits. Strings that are the same are mostly the same object. */
    static PyObject *deuterium_getattro(PyObject *self, PyObject *name) {
        if (name == deuterium_blocking_name) return deuterium_blocking(self);
        if (name == deuterium_add_name) return PyMethod_New(deuterium_add_function, self);
        if (name == deuterium_get_loop_name) {
            PyObject *getter = deuterium_getter(self);
            if (getter != Py_None) return getter;
            Py_XDECREF(getter);
        }
        return PyObject_GenericGetAttr(self, name);
    }

    static int deuterium_setattro(PyObject *self, PyObject *name, PyObject *value) {
        if (name != deuterium_blocking_name || value == NULL) return PyObject_GenericSetAttr(self, name, value);
        deuterium_block(self, value);
        return 0;
    }

    static int deuterium_answer_in_c(
        PyObject *kind, deuterium_reader blocking, deuterium_writer block, deuterium_reader getter, deuterium_adder add
    ) {
        PyTypeObject *type = (PyTypeObject *)kind;
        deuterium_blocking = blocking;
        deuterium_block = block;
        deuterium_getter = getter;
        deuterium_add = add;
        deuterium_blocking_name = PyUnicode_InternFromString("_asyncio_future_blocking");
        deuterium_get_loop_name = PyUnicode_InternFromString("get_loop");
        deuterium_add_name = PyUnicode_InternFromString("add_done_callback");
        deuterium_context_name = PyUnicode_InternFromString("context");
        deuterium_add_function = PyCFunction_New(&deuterium_add_def, NULL);
        if (deuterium_blocking_name == NULL || deuterium_get_loop_name == NULL || deuterium_add_name == NULL
            || deuterium_context_name == NULL || deuterium_add_function == NULL) return -1;
        type->tp_getattro = deuterium_getattro;
        type->tp_setattro = deuterium_setattro;
        PyType_Modified(type);
        return 0;
    }
    """
    object returning "deuterium_returning"(object thing)
    int answer_in_c "deuterium_answer_in_c"(
        object kind,
        object (*blocking)(object),
        void (*block)(object, object) noexcept,
        object (*getter)(object),
        object (*add)(object, object, object),
    ) except -1
    object run_in "deuterium_run_in"(object context, object called, object argument)

cdef bint COMPILED

cdef class TaskWaiter(Waiter):
    cdef public object _asyncio_future_blocking
    cdef readonly object _loop
    cdef object _loop_getter
    cdef object answered
    cdef object callback
    cdef object context
    cdef size_t callback_at
    cdef size_t context_at
    cdef size_t task_at
    cdef object message
    cdef bint withdrawn
    cdef bint woken
    cdef void _add(self, object callback, object context) except *
    cdef void prepare(self, object loop, object answered) noexcept
    cdef void again(self) noexcept
    cpdef void foresee(self) noexcept
    @cython.locals(carrier=Carrier)
    cpdef wake(self, Exchange exchange)
    cdef void _call_soon(self, object future) except *

cpdef object loop_getter(object loop)
@cython.locals(asked=TaskWaiter)
cdef object blocking(object waiter)
@cython.locals(asked=TaskWaiter)
cdef void block(object waiter, object value) noexcept
@cython.locals(asked=TaskWaiter)
cdef object getter_of(object waiter)
@cython.locals(asked=TaskWaiter)
cdef object call_back(object waiter, object callback, object context)
