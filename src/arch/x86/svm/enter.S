/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way into a guest and back: AMD APM vol. 2, 15.5 and 15.17 (GIF). Between VMRUN and STGI TR,
 * GS and the syscall MSRs are the guest's: nothing but register saves happens there. Host
 * interrupts are held by GIF; IF is set only so that they end the guest's run.
 *
 * void svm_enter(struct vcpu_regs *regs [rdi], hpa_t guest_vmcb [rsi], hpa_t host_vmcb [rdx])
 * RAX, RSP, RIP and RFLAGS of the guest are in the VMCB.
 */
	.text
	.globl	svm_enter
	.type	svm_enter, @function
svm_enter:
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rdx
	pushq	%rdi
	clgi
	sti
	movq	%rsi, %rax
	vmload
	movq	8*1(%rdi), %rcx
	movq	8*2(%rdi), %rdx
	movq	8*3(%rdi), %rbx
	movq	8*5(%rdi), %rbp
	movq	8*6(%rdi), %rsi
	movq	8*8(%rdi), %r8
	movq	8*9(%rdi), %r9
	movq	8*10(%rdi), %r10
	movq	8*11(%rdi), %r11
	movq	8*12(%rdi), %r12
	movq	8*13(%rdi), %r13
	movq	8*14(%rdi), %r14
	movq	8*15(%rdi), %r15
	movq	8*7(%rdi), %rdi
	vmrun
	vmsave
	pushq	%rdi
	movq	8(%rsp), %rdi
	movq	%rcx, 8*1(%rdi)
	movq	%rdx, 8*2(%rdi)
	movq	%rbx, 8*3(%rdi)
	movq	%rbp, 8*5(%rdi)
	movq	%rsi, 8*6(%rdi)
	popq	8*7(%rdi)
	movq	%r8, 8*8(%rdi)
	movq	%r9, 8*9(%rdi)
	movq	%r10, 8*10(%rdi)
	movq	%r11, 8*11(%rdi)
	movq	%r12, 8*12(%rdi)
	movq	%r13, 8*13(%rdi)
	movq	%r14, 8*14(%rdi)
	movq	%r15, 8*15(%rdi)
	movq	8(%rsp), %rax
	vmload
	cli
	stgi
	addq	$16, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	/* No guest value stays where a mispredicted path could use it. */
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	xorl	%esi, %esi
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	xorl	%r10d, %r10d
	xorl	%r11d, %r11d
	ret
	.size	svm_enter, . - svm_enter

	.section .note.GNU-stack, "", @progbits
