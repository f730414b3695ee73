/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streaming note reader, see elf_note.h. Sizes in a note are hostile: they are only ever skipped
 * over, in 64 bits, and a note that claims to be longer than its segment simply never ends.
 */
#include <elf.h>
#include <string.h>

#include "elf_note.h"

#define NOTE_PHYS32_ENTRY 18                 /* XEN_ELFNOTE_PHYS32_ENTRY, xen/elfnote.h */
#define NOTE_HEADER       sizeof(Elf32_Nhdr) /* the same in ELF64 */
#define NOTE_VALUE        (NOTE_HEADER + 4)  /* where the value of a note named "Xen" begins */

void elf_note_init(struct elf_note *n, uint64_t p_align)
{
    *n = (struct elf_note){.want = NOTE_HEADER, .align = p_align == 8 ? 8 : 4};
}

static uint64_t note_size(const struct elf_note *n)
{
    Elf32_Nhdr h;

    memcpy(&h, n->buf, sizeof(h));
    uint64_t value = ALIGN_UP(NOTE_HEADER + (uint64_t)h.n_namesz, n->align);
    return ALIGN_UP(value + h.n_descsz, n->align);
}

static void note_look(struct elf_note *n)
{
    Elf32_Nhdr h;

    memcpy(&h, n->buf, sizeof(h));
    if (n->found || h.n_type != NOTE_PHYS32_ENTRY || h.n_namesz != 4 ||
        (h.n_descsz != 4 && h.n_descsz != 8) || memcmp(n->buf + NOTE_HEADER, "Xen", 4))
        return;
    n->entry = 0;
    memcpy(&n->entry, n->buf + NOTE_VALUE, h.n_descsz);
    n->found = true;
}

/* Called when the bytes wanted are there: first the header, then what follows it. */
static void note_step(struct elf_note *n)
{
    if (!n->total) {
        n->total = note_size(n);
        n->want = (uint32_t)min(n->total, (uint64_t)sizeof(n->buf));
        if (n->want > n->have)
            return;
    }
    note_look(n);
    n->skip = n->total - n->have;
    n->have = 0;
    n->want = NOTE_HEADER;
    n->total = 0;
}

void elf_note_feed(struct elf_note *n, const uint8_t *data, size_t size)
{
    while (size) {
        size_t step = (size_t)min((uint64_t)size, n->skip);
        if (step) {
            n->skip -= step;
        } else {
            step = min(size, (size_t)(n->want - n->have));
            memcpy(n->buf + n->have, data, step);
            n->have += (uint32_t)step;
            if (n->have == n->want)
                note_step(n);
        }
        data += step;
        size -= step;
    }
}
