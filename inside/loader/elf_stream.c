/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two passes of elf_stream.h. Every number in the file is hostile: file ranges are bounded by
 * ELF_MAX_FILE and memory ranges by 4 GiB before they are added to anything. Segments go to
 * p_paddr, as Xen's PVH boot protocol has it; virtual addresses and e_entry are not looked at.
 */
#include <string.h>

#include "elf_stream.h"

/* All RAM that the loader can reach is identity-mapped below this. */
#define ELF_RAM_LIMIT GIB(4)

static struct elf_stream *elf_of(struct sink *sink)
{
    return container_of(sink, struct elf_stream, sink);
}

/* The part of the chunk (n bytes at s->pos) inside the file range: its start and size in *data. */
static size_t elf_cut(const struct elf_stream *s, const uint8_t **data, size_t n, uint64_t offset,
                      uint64_t size, uint64_t *into)
{
    uint64_t from = max(s->pos, offset), to = min(s->pos + n, offset + size);

    if (from >= to)
        return 0;
    *data += from - s->pos;
    *into = from - offset;
    return (size_t)(to - from);
}

static void elf_take(const struct elf_stream *s, const uint8_t *data, size_t n, uint64_t offset,
                     uint64_t size, uint8_t *dst)
{
    uint64_t into;
    size_t part = elf_cut(s, &data, n, offset, size, &into);

    if (part)
        memcpy(dst + into, data, part);
}

static bool elf_parse_ehdr(struct elf_stream *s)
{
    Elf64_Ehdr e;
    Elf32_Ehdr e32;

    memcpy(&e, s->ehdr, sizeof(e));
    memcpy(&e32, s->ehdr, sizeof(e32));
    if (memcmp(e.e_ident, ELFMAG, SELFMAG))
        return failure_set(&s->failure, LOADER_ERR_NOT_KERNEL, 0, 0);
    bool wide = e.e_ident[EI_CLASS] == ELFCLASS64;
    uint64_t phoff = wide ? e.e_phoff : e32.e_phoff;
    uint32_t phnum = wide ? e.e_phnum : e32.e_phnum;
    uint32_t phentsize = wide ? e.e_phentsize : e32.e_phentsize;
    if (e.e_ident[EI_CLASS] != (e.e_machine == EM_X86_64 ? ELFCLASS64 : ELFCLASS32) ||
        (e.e_machine != EM_X86_64 && e.e_machine != EM_386) || e.e_ident[EI_DATA] != ELFDATA2LSB ||
        e.e_ident[EI_VERSION] != EV_CURRENT || (e.e_type != ET_EXEC && e.e_type != ET_DYN) ||
        phentsize != (wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) || !phnum ||
        phnum > ELF_MAX_HEADERS || phoff < (wide ? sizeof(e) : sizeof(e32)))
        return failure_set(&s->failure, LOADER_ERR_BAD_ELF, phoff, phnum);
    if (phoff > ELF_MAX_FILE)
        return failure_set(&s->failure, LOADER_ERR_TOO_LARGE, ELF_MAX_FILE, 0);
    s->phoff = phoff;
    s->phsize = phnum * phentsize;
    return true;
}

/* A segment that is where it must not be. One that passes the heap's end would be in its place in
 * a larger guest: the headers are read on, to see in how large a one. */
static bool elf_misplaced(struct elf_stream *s, enum loader_error code, uint64_t start,
                          uint64_t end)
{
    bool above = end > s->info->heap + s->info->heap_size && end <= ELF_RAM_LIMIT && start < end;

    if (!above || !s->failure.least)
        failure_set(&s->failure, code, start, end);
    if (above)
        s->failure.least = max(s->failure.least, end);
    return above;
}

/* Whether a segment may lie at [paddr, paddr + memsz): RAM, nothing reserved, no earlier segment.
 */
static bool elf_check_place(struct elf_stream *s, const struct elf_segment *new)
{
    uint64_t start = new->paddr, end = start + new->memsz;
    bool inside = false;

    if (start < ELF_RAM_LIMIT && new->memsz <= ELF_RAM_LIMIT - start)
        for (unsigned int i = 0; i < s->info->nr_ram && i < LOADER_MAX_RANGES; i++)
            inside |= start >= s->info->ram[i].start && end <= s->info->ram[i].end;
    if (!inside)
        return elf_misplaced(s, LOADER_ERR_OUTSIDE, start, end);

    bool clash = false;
    for (unsigned int i = 0; i < s->info->nr_reserved && i < LOADER_MAX_RANGES; i++)
        clash |= start < s->info->reserved[i].end && end > s->info->reserved[i].start;
    for (unsigned int i = 0; i < s->nr_segments; i++)
        clash |= s->segments[i].memsz && start < s->segments[i].paddr + s->segments[i].memsz &&
                 end > s->segments[i].paddr;
    return !clash || elf_misplaced(s, LOADER_ERR_OVERLAP, start, end);
}

static bool elf_add_segment(struct elf_stream *s, const Elf64_Phdr *p)
{
    struct elf_segment new = {.offset = p->p_offset, .filesz = p->p_filesz};

    if (p->p_type == PT_LOAD && p->p_memsz) {
        new.paddr = p->p_paddr;
        new.memsz = p->p_memsz;
        if (new.filesz > new.memsz)
            return failure_set(&s->failure, LOADER_ERR_BAD_ELF, new.filesz, new.memsz);
        if (!elf_check_place(s, &new))
            return false;
        s->low = min(s->low, new.paddr);
        s->high = max(s->high, new.paddr + new.memsz);
    } else if (p->p_type == PT_NOTE) {
        elf_note_init(&new.note, p->p_align);
    } else {
        return true;
    }
    if (new.filesz && (new.offset > ELF_MAX_FILE || new.filesz > ELF_MAX_FILE - new.offset))
        return failure_set(&s->failure, LOADER_ERR_TOO_LARGE, ELF_MAX_FILE, 0);
    if (new.filesz)
        s->needed = max(s->needed, new.offset + new.filesz);
    s->segments[s->nr_segments++] = new;
    return true;
}

static bool elf_parse_phdrs(struct elf_stream *s)
{
    bool wide = s->ehdr[EI_CLASS] == ELFCLASS64;
    size_t step = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    Elf64_Phdr p;
    Elf32_Phdr p32;

    for (size_t at = 0; at < s->phsize; at += step) {
        memcpy(&p, s->phdrs + at, min(step, sizeof(p)));
        memcpy(&p32, s->phdrs + at, sizeof(p32));
        if (!wide)
            p = (Elf64_Phdr){.p_type = p32.p_type,
                             .p_offset = p32.p_offset,
                             .p_paddr = p32.p_paddr,
                             .p_filesz = p32.p_filesz,
                             .p_memsz = p32.p_memsz,
                             .p_align = p32.p_align};
        if (!elf_add_segment(s, &p))
            return false;
    }
    if (!s->high)
        return failure_set(&s->failure, LOADER_ERR_BAD_ELF, 0, 0);
    return !s->failure.code;
}

static bool elf_headers_write(struct sink *sink, const uint8_t *data, size_t n)
{
    struct elf_stream *s = elf_of(sink);

    elf_take(s, data, n, 0, sizeof(s->ehdr), s->ehdr);
    if (!s->phsize && s->pos + n >= sizeof(s->ehdr) && !elf_parse_ehdr(s))
        return false;
    if (s->phsize)
        elf_take(s, data, n, s->phoff, s->phsize, s->phdrs);
    s->pos += n;
    if (!s->phsize || s->pos < s->phoff + s->phsize)
        return true;
    s->headers_done = elf_parse_phdrs(s);
    return false;
}

void elf_stream_init(struct elf_stream *s, const struct loader_info *info, uintptr_t ram)
{
    memset(s, 0, sizeof(*s));
    s->sink.write = elf_headers_write;
    s->info = info;
    s->ram = ram;
    s->low = ELF_RAM_LIMIT;
}

static uint8_t *elf_ram(const struct elf_stream *s, uint64_t paddr)
{
    return (uint8_t *)(s->ram + paddr);
}

static bool elf_segments_write(struct sink *sink, const uint8_t *data, size_t n)
{
    struct elf_stream *s = elf_of(sink);

    for (unsigned int i = 0; i < s->nr_segments; i++) {
        struct elf_segment *g = &s->segments[i];
        const uint8_t *part = data;
        uint64_t into;
        size_t size = elf_cut(s, &part, n, g->offset, g->filesz, &into);
        if (size && g->memsz)
            memcpy(elf_ram(s, g->paddr + into), part, size);
        else if (size)
            elf_note_feed(&g->note, part, size);
    }
    s->pos += n;
    if (s->pos > s->needed + ELF_MAX_TRAILING)
        return failure_set(&s->failure, LOADER_ERR_TOO_LARGE, s->needed + ELF_MAX_TRAILING, 0);
    return true;
}

bool elf_stream_rewind(struct elf_stream *s)
{
    if (s->failure.code)
        return false;
    if (!s->headers_done)
        return failure_set(&s->failure, LOADER_ERR_TRUNCATED,
                           s->phsize ? s->phoff + s->phsize : sizeof(s->ehdr), s->pos);
    for (unsigned int i = 0; i < s->nr_segments; i++) {
        const struct elf_segment *g = &s->segments[i];
        if (g->memsz)
            memset(elf_ram(s, g->paddr + g->filesz), 0, g->memsz - g->filesz);
    }
    s->pos = 0;
    s->sink.write = elf_segments_write;
    return true;
}

bool elf_stream_finish(struct elf_stream *s)
{
    const struct elf_note *note = NULL;

    if (s->failure.code)
        return false;
    if (s->pos < s->needed)
        return failure_set(&s->failure, LOADER_ERR_TRUNCATED, s->needed, s->pos);
    for (unsigned int i = 0; i < s->nr_segments && !note; i++)
        if (s->segments[i].note.found)
            note = &s->segments[i].note;
    if (!note)
        return failure_set(&s->failure, LOADER_ERR_NO_NOTE, 0, 0);
    s->entry = note->entry;
    for (unsigned int i = 0; i < s->nr_segments; i++) {
        const struct elf_segment *g = &s->segments[i];
        if (s->entry >= g->paddr && s->entry - g->paddr < g->memsz)
            return true;
    }
    return failure_set(&s->failure, LOADER_ERR_BAD_ENTRY, s->entry, 0);
}
