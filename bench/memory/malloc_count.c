/* Counts what a process asks of the allocator: preloaded before a Python program, read through ctypes.
 *
 *     cc -O2 -shared -fPIC -o malloc_count.so malloc_count.c && LD_PRELOAD=./malloc_count.so python ...
 *
 * Pieces of 4 KiB and more are counted apart: CPython serves 512 octets and less from its own arenas, and the
 * smallest buffer of a pool has 4 KiB. glibc only. */

#include <stdatomic.h>
#include <stddef.h>

#define LARGE 4096

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static _Atomic unsigned long long calls, large_calls, large_octets;

static void count(size_t size) {
    atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
    if (size >= LARGE) {
        atomic_fetch_add_explicit(&large_calls, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&large_octets, size, memory_order_relaxed);
    }
}

unsigned long long deuterium_malloc_calls(void) { return calls; }
unsigned long long deuterium_large_calls(void) { return large_calls; }
unsigned long long deuterium_large_octets(void) { return large_octets; }

void *malloc(size_t size) {
    count(size);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count(number * size);
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    count(size);
    return __libc_realloc(old, size);
}
