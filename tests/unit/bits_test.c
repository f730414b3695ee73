/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/bits.h: word and bitmap functions agree with a bit-by-bit count, also across words and at a
 * size that ends inside a word with stray bits behind it.
 */
#include "unit/unit.h"

#include "lib/bits.h"

static void words(void **state)
{
    assert_int_equal(BITS(0, 63), ~0ULL);
    assert_int_equal(BITS(4, 7), 0xf0);
    assert_int_equal(BITS(63, 63), 1ULL << 63);
    for (unsigned int a = 0; a < 64; a++)
        for (unsigned int b = a; b < 64; b++) {
            assert_int_equal(bits_first(BITS(a, b)), a);
            assert_int_equal(bits_last(BITS(a, b)), b);
            assert_int_equal(bits_count(BITS(a, b)), b - a + 1);
        }
    assert_int_equal(bits_count(0), 0);
}

static void bitmaps(void **state)
{
    enum { SIZE = 150 };
    uint64_t map[BITMAP_WORDS(SIZE)] = {0};
    assert_int_equal(ARRAY_SIZE(map), 3);
    bool model[SIZE] = {false};
    map[2] = BITS(SIZE % 64, 63); /* behind the end: must not be seen */
    srand(1);
    for (int step = 0; step < 2000; step++) {
        unsigned int bit = (unsigned int)rand() % SIZE;
        model[bit] = rand() & 1;
        if (model[bit])
            bitmap_set(map, bit);
        else
            bitmap_clear(map, bit);

        unsigned int from = (unsigned int)rand() % (SIZE + 2), set = from, clear = from, count = 0;
        while (set < SIZE && !model[set])
            set++;
        while (clear < SIZE && model[clear])
            clear++;
        assert_int_equal(bitmap_find(map, SIZE, from), set < SIZE ? set : SIZE);
        assert_int_equal(bitmap_find_clear(map, SIZE, from), clear < SIZE ? clear : SIZE);
        assert_int_equal(bitmap_test(map, bit), model[bit]);
        for (unsigned int i = 0; i < SIZE; i++)
            count += model[i];
        assert_int_equal(bitmap_count(map, SIZE), count);
        unsigned int walked = 0, i;
        for_each_set_bit (i, map, SIZE) {
            assert_true(model[i]);
            walked++;
        }
        assert_int_equal(walked, count);
    }
}

UNIT_MAIN(cmocka_unit_test(words), cmocka_unit_test(bitmaps))
