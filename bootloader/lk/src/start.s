// First instructions of the bootloader proper, from the unpacker's jump to Rust.
//
// The unpacker (bootloader/unpack) has put us where we are linked: ARM state,
// Secure SVC, everything masked, the L2 a cache, caches on, and a translation
// table that maps every address of ours to itself (until mmu.rs has its own).
// r0 = four words: the boot argument's address, and r0 to r2 as our loader was
// entered with them.

    .syntax unified
    .arm
    .section .text.entry, "ax"
    .global _start
    .type   _start, %function
    .balign 32

// Also the exception vectors (VBAR).
_start:
    b       reset
    b       trap_undefined
    b       trap_svc
    b       trap_prefetch
    b       trap_data
    b       trap_unused
    b       trap_irq
    b       trap_fiq

// What `unilk pack` has to know of a bootloader that is not packed yet.
    .ascii  "unpacked"
    .word   __early_text_bytes      // code, from the first byte on
    .word   __late_start - _start   // where the late part begins,
    .word   __late_text_end - _start // where its code ends,
    .word   __hints - _start        // where the plain part begins, with hints

reset:
    ldmia   r0, {r4-r7}

    ldr     r0, =__bss_start
    ldr     r1, =__bss_end          // both page aligned
    mov     r2, #0
    mov     r3, #0
    mov     r8, #0
    mov     r9, #0
zero:
    stmia   r0!, {r2, r3, r8, r9}
    cmp     r0, r1
    blo     zero

    ldr     r0, =__exception_stack_top
    cps     #0x17                   // abort, undefined, IRQ and FIQ share one
    mov     sp, r0                  // stack: each of them ends the boot
    cps     #0x1b
    mov     sp, r0
    cps     #0x12
    mov     sp, r0
    cps     #0x11
    mov     sp, r0
    cps     #0x13
    ldr     sp, =__stack_top

    ldr     r0, =_start
    mcr     p15, 0, r0, c12, c0, 0  // VBAR
    isb

    mov     r0, r4
    mov     r1, r5
    mov     r2, r6
    mov     r3, r7
    bl      start
hang:
    b       hang

// The last thing unilk does: r0 = entry, r1..r3 = r0..r2 for the kernel.
// Caches and MMU off, everything in memory, and gone (facts/soc.md 12.2).
    .global leave
    .type   leave, %function
leave:
    cpsid   aif
    mov     r4, r0
    mov     r5, r1
    mov     r6, r2
    mov     r7, r3
    mov     r12, #1
    bl      data_caches             // most of the work while still fast
    mrc     p15, 0, r0, c1, c0, 0
    bic     r0, r0, #0x1800         // I, Z
    bic     r0, r0, #0x0005         // C, M
    mcr     p15, 0, r0, c1, c0, 0
    isb
    mov     r12, #1
    bl      data_caches             // and what was dirtied since
    mov     r0, #0
    mcr     p15, 0, r0, c8, c7, 0
    mcr     p15, 0, r0, c7, c5, 0
    mcr     p15, 0, r0, c7, c5, 6
    dsb
    isb
    mov     r8, r4
    mov     r0, r5
    mov     r1, r6
    mov     r2, r7
    mov     r3, #0
    bx      r8

// Exceptions. Of an abort somebody may have reached for what is not unpacked
// yet: `late_fault` says so, and has unpacked it (late.rs).
    .macro  may_be_late status, address
    stmdb   sp!, {r0-r3, r12, lr}
    mrc     p15, 0, r0, c6, c0, \address
    mrc     p15, 0, r1, c5, c0, \status
    bl      late_fault
    cmp     r0, #0
    ldmia   sp!, {r0-r3, r12, lr}
    movsne  pc, lr
    .endm

// All others are unexpected, and told.
    .macro  trap name, mode, number, adjust
\name:
    sub     lr, lr, #\adjust        // the instruction that did it
    .if \number == 2
    may_be_late 1, 2                // IFSR, IFAR
    .elseif \number == 3
    may_be_late 0, 0                // DFSR, DFAR
    .endif
    stmdb   sp!, {r0-r12, lr}
    mrs     r2, spsr
    .if \number < 2                 // these two point behind the instruction,
    tst     r2, #0x20               // which is half as long in Thumb
    addne   lr, lr, #2
    strne   lr, [sp, #52]
    .endif
    cps     #0x13
    mov     r3, sp
    mov     r5, lr
    cps     #\mode
    stmdb   sp!, {r2, r3, r5}       // CPSR, SP and LR of what was interrupted
    mov     r0, #\number
    mov     r1, sp
    bic     sp, sp, #7
    bl      exception
    b       hang
    .endm

    trap    trap_undefined, 0x1b, 0, 4
    trap    trap_svc,       0x13, 1, 4
    trap    trap_prefetch,  0x17, 2, 4
    trap    trap_data,      0x17, 3, 8
    trap    trap_unused,    0x1b, 4, 0
    trap    trap_irq,       0x12, 5, 4
    trap    trap_fiq,       0x11, 6, 4
    .ltorg
