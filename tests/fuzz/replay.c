/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A main program for a fuzz target built without libFuzzer: runs each file named on the command
 * line through the target once, then the empty input, so that a corpus is a regression test.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay_file(const char *name)
{
    FILE *f = fopen(name, "rb");
    if (!f || fseek(f, 0, SEEK_END)) {
        perror(name);
        exit(2);
    }
    long size = ftell(f);
    rewind(f);
    /* Exactly as large as the input, so that ASan sees a read past its end. */
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    if (!data || size < 0 || fread(data, 1, (size_t)size, f) != (size_t)size) {
        perror(name);
        exit(2);
    }
    fclose(f);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        fprintf(stderr, "%s\n", argv[i]);
        replay_file(argv[i]);
    }
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    fprintf(stderr, "%d inputs\n", argc);
    return 0;
}
