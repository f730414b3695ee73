/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is a kernel file. load_kernel may accept or refuse it; either way it writes no byte
 * outside guest RAM or in a reserved range (both poisoned for ASan), and what it reports as loaded
 * lies in RAM with the entry point inside. Seeds: tests/fuzz/seeds_loader.py.
 *
 * LIBS: -llzma -lzstd -lz -llz4
 */
#include <stdio.h>
#include <stdlib.h>

#include <sanitizer/asan_interface.h>

#include "loader/heap.h"
#include "loader/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAM_START  MIB(1)
#define RAM_END    MIB(2)
#define KEPT_START (RAM_START + KIB(512))
#define KEPT_END   (RAM_START + KIB(516))

struct heap heap;

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t *ram;
    struct loader_info info = {.payload = (uintptr_t)data,
                               .payload_size = size,
                               .heap = RAM_END,
                               .heap_size = MIB(4),
                               .nr_ram = 2,
                               .ram = {{0, 0x1000}, {RAM_START, RAM_END}},
                               .nr_reserved = 2,
                               .reserved = {{0, 0x1000}, {KEPT_START, KEPT_END}}};
    struct loaded l;
    struct failure f = {0};

    if (!ram) {
        ram = malloc(RAM_END - RAM_START);
        check(ram != NULL, "no memory");
        ASAN_POISON_MEMORY_REGION(ram + (KEPT_START - RAM_START), KEPT_END - KEPT_START);
    }
    if (load_kernel(&info, (uintptr_t)ram - RAM_START, &l, &f)) {
        check(l.low >= RAM_START && l.low < l.high && l.high <= RAM_END, "loaded outside RAM");
        check(l.entry >= l.low && l.entry < l.high, "entry outside the kernel");
        check(!f.code && l.format, "success with a failure code");
    } else {
        check(f.code >= LOADER_ERR_EMPTY && f.code <= LOADER_ERR_BAD_ENTRY, "failure code");
    }
    return 0;
}
