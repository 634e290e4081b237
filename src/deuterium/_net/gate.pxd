cimport cython

cdef extern from *:
    """
    #include "pythread.h"

    #define DEUTERIUM_GATES 64

    typedef struct {
        PyThread_type_lock lock;
    } deuterium_gate;

    static int deuterium_gate_create(deuterium_gate *gate) {
        gate->lock = PyThread_allocate_lock();
        if (gate->lock == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        PyThread_acquire_lock(gate->lock, 0);
        return 0;
    }

    static void deuterium_gate_destroy(deuterium_gate *gate) {
        if (gate->lock != NULL) {
            PyThread_acquire_lock(gate->lock, 0); /* it is freed in one state, whatever happened */
            PyThread_release_lock(gate->lock);
            PyThread_free_lock(gate->lock);
        }
    }

    static int deuterium_gate_wait(deuterium_gate *gate, PyThread_type_lock other, double timeout_s) {
        PyThread_type_lock lock = gate->lock;
        long long microseconds = timeout_s >= 1e6 ? -1 : timeout_s <= 0.0 ? 0 : (long long)(timeout_s * 1e6) + 1;
        PyLockStatus status;
        Py_BEGIN_ALLOW_THREADS
        if (other != NULL)
            PyThread_release_lock(other);
        status = PyThread_acquire_lock_timed(lock, microseconds, 1);
        Py_END_ALLOW_THREADS
        if (status == PY_LOCK_INTR && PyErr_CheckSignals() < 0)
            return -1;
        return status == PY_LOCK_ACQUIRED;
    }

    static void deuterium_gates_release(PyThread_type_lock *locks, int count) {
        int i;
        Py_BEGIN_ALLOW_THREADS
        for (i = 0; i < count; i++)
            PyThread_release_lock(locks[i]);
        Py_END_ALLOW_THREADS
    }
    """
    ctypedef void *deuterium_lock "PyThread_type_lock"
    ctypedef struct deuterium_gate:
        deuterium_lock lock
    enum: DEUTERIUM_GATES
    int deuterium_gate_create(deuterium_gate *gate) except -1
    void deuterium_gate_destroy(deuterium_gate *gate) noexcept
    int deuterium_gate_wait(deuterium_gate *gate, deuterium_lock other, double timeout_s) except -1
    void deuterium_gates_release(deuterium_lock *locks, int count) noexcept

cdef bint COMPILED
cdef double MAX_WAIT_S

@cython.final
cdef class Gate:
    cdef deuterium_gate gate

    cpdef void open(self) noexcept
    cpdef bint wait(self, double timeout_s, object opening=*) except -1

cdef inline int gate_create(Gate gate) except -1:
    return deuterium_gate_create(&gate.gate)

cdef inline void gate_destroy(Gate gate) noexcept:
    deuterium_gate_destroy(&gate.gate)

cdef inline void gate_open(Gate gate) noexcept:
    deuterium_gates_release(&gate.gate.lock, 1)

cdef inline bint gate_wait(Gate gate, Gate other, double timeout_s) except -1:
    return deuterium_gate_wait(&gate.gate, NULL if other is None else other.gate.lock, timeout_s)

cdef inline int gates_open(list gates) except -1:
    cdef deuterium_lock locks[DEUTERIUM_GATES]
    cdef int count = 0
    cdef object one
    for one in gates:
        if type(one) is not Gate:
            one.open()
            continue
        locks[count] = (<Gate>one).gate.lock
        count += 1
        if count == DEUTERIUM_GATES:
            deuterium_gates_release(locks, count)
            count = 0
    if count:
        deuterium_gates_release(locks, count)
    return 0

cpdef open_all(list gates)
