/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte of the loader image (abi/loader.h says in what state Krypton starts it). Makes the
 * FPU and SSE usable, clears .bss, gives the stack protector its canary at fs:0x28 (x86-64 psABI)
 * and calls loader_main(info in rdi). Does not return.
 */
#define CR0_MP 1
#define CR0_EM 2
#define CR0_TS 3
#define CR4_OSFXSR_OSXMMEXCPT 0x600
#define MSR_FS_BASE 0xc0000100
#define TLS_SIZE 0x40
#define TLS_CANARY 0x28

    .section .text.entry, "ax", @progbits
    .globl loader_start
loader_start:
    mov %rdi, %rbx
    cld
    mov %cr0, %rax
    btr $CR0_EM, %rax
    btr $CR0_TS, %rax
    bts $CR0_MP, %rax
    mov %rax, %cr0
    mov %cr4, %rax
    or $CR4_OSFXSR_OSXMMEXCPT, %rax
    mov %rax, %cr4
    fninit
    ldmxcsr mxcsr_default(%rip)

    lea loader_bss_start(%rip), %rdi
    lea loader_memory_end(%rip), %rcx
    sub %rdi, %rcx
    xor %eax, %eax
    rep stosb

    lea tls(%rip), %rsi
    rdtsc
    shl $32, %rdx
    or %rdx, %rax
    mov %rax, TLS_CANARY(%rsi)
    mov %rsi, %rax
    mov %rsi, %rdx
    shr $32, %rdx
    mov $MSR_FS_BASE, %ecx
    wrmsr

    and $-16, %rsp
    xor %ebp, %ebp
    mov %rbx, %rdi
    call loader_main
    ud2

    .section .rodata.entry, "a", @progbits
    .balign 4
mxcsr_default:
    .long 0x1f80 /* all exceptions masked, Intel SDM vol. 1 section 11.6.4 */

    .section .bss.tls, "aw", @nobits
    .balign 16
tls:
    .skip TLS_SIZE
    .section .note.GNU-stack, "", @progbits
