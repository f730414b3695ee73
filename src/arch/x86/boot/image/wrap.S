/* SPDX-License-Identifier: Apache-2.0 */
/* The flat image as the only content of the ELF32 file; the note that makes it bootable by PVH
 * (public xen/elfnote.h, XEN_ELFNOTE_PHYS32_ENTRY = 18) lies in the gap that head.S leaves. */
#define NOTE_AT   0x120
#define NOTE_SIZE 20

        .section .image.start, "awx", @progbits
        .incbin "krypton.bin", 0, NOTE_AT

        .section .note.Xen, "a", @note
        .long 4, 4, 18
        .asciz "Xen"
        .long pvh_entry

        .section .image, "awx", @progbits
        .incbin "krypton.bin", NOTE_AT + NOTE_SIZE
        .section .note.GNU-stack, "", @progbits
