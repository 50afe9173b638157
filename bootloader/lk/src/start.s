// First instructions of unilk, from the preloader's jump to Rust.
//
// The entry contract (facts/soc.md 3.2, docs/entry-contract.md): ARM state,
// Secure SVC, MMU and data cache off, r4 = boot argument. Nothing is assumed
// of the I-cache, the branch predictor or the L2, and nothing of the address
// that we were loaded to: a boot image started by another loader may stand
// anywhere in DRAM, so everything up to `linked` is position-independent.

// Where an image goes first whose own place overlaps the one that it is linked
// to: 8 MiB above the beginning of DRAM, far from both.
    .equ    STAGING, 0x80800000

    .syntax unified
    .arm
    .section .text.entry, "ax"
    .global _start
    .type   _start, %function
    .balign 32

// Also the exception vectors (VBAR), once the image runs where it is linked.
_start:
    b       reset
    b       trap_undefined
    b       trap_svc
    b       trap_prefetch
    b       trap_data
    b       trap_unused
    b       trap_irq
    b       trap_fiq

// What tools find at offset 0x20 of every unilk image.
    .ascii  "unilk\0\0\0"
    .word   1                       // layout of this block
    .word   __hints - _start        // where the hint block lies
    .word   __image_end - _start    // length of the image in bytes

reset:
    cpsid   aif, #0x13              // SVC mode, everything masked
    mov     r5, r0                  // what a loader other than the preloader
    mov     r6, r1                  // passes; r4 is the boot argument
    mov     r7, r2

    mrc     p15, 0, r0, c1, c0, 0   // SCTLR: MMU, caches, branch predictor,
    bic     r0, r0, #0x3800         // alignment faults and high vectors off;
    bic     r0, r0, #0x0007         // exceptions in ARM state, little endian;
    bic     r0, r0, #0x72000000     // descriptors mean what mmu.rs says: no
    bic     r0, r0, #0x00180000     // TEX remap, access flag or forced XN
    mcr     p15, 0, r0, c1, c0, 0
    isb

    mrc     p15, 0, r0, c1, c0, 1   // ACTLR.SMP: the caches of a Cortex-A7
    orr     r0, r0, #0x40           // do not work without it
    mcr     p15, 0, r0, c1, c0, 1

    ldr     r0, =0x10200000         // MCUSYS: L2C_SIZE = 1, the L2's RAM
    ldr     r1, [r0]                // stops being SRAM and becomes cache
    bic     r1, r1, #0xe0
    orr     r1, r1, #0x20
    str     r1, [r0]
    dsb
    isb

    mov     r0, #0
    mcr     p15, 0, r0, c7, c5, 0   // I-cache
    mcr     p15, 0, r0, c7, c5, 6   // branch predictor
    mcr     p15, 0, r0, c8, c7, 0   // TLBs
    mov     r12, #0                 // the preloader cleaned its lines: throw
    bl      data_caches             // away what the RAM woke up with

// To the address that we are linked to. Where the two places overlap, the copy
// would overwrite this loop: then by way of a third place.
relocate:
    adr     r0, _start
    ldr     r1, =_start
    ldr     r2, =__image_end
    sub     r2, r2, r1              // bytes, a multiple of 8
    subs    r3, r0, r1              // distance, either way
    beq     linked
    rsblo   r3, r3, #0
    cmp     r3, r2
    ldrlo   r1, =STAGING
    mov     r8, r1
copy:
    ldr     r3, [r0], #4
    str     r3, [r1], #4
    subs    r2, r2, #4
    bne     copy
    dsb
    mov     r0, #0
    mcr     p15, 0, r0, c7, c5, 0
    isb
    ldr     r0, =_start
    cmp     r8, r0
    ldreq   pc, =linked
    adr     r0, _start
    adr     r1, relocate
    sub     r1, r1, r0
    add     pc, r8, r1              // the same again, from the third place

linked:
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

// Invalidates (r12 = 0) or cleans and invalidates (r12 = 1) every data and
// unified cache by set and way. Registers only: between the moment the cache
// is switched off and the moment the last line is written back, a push to the
// stack would be lost under the line that covers it.
// Clobbers r0-r3 and r5-r11 only where noted: r4-r7 live on in `reset`, so
// those are kept and r8-r11, lr are used instead.
    .global data_caches
    .type   data_caches, %function
data_caches:
    dmb
    mrc     p15, 1, r0, c0, c0, 1   // CLIDR
    mov     r1, #0                  // 2 * level
each_level:
    add     r2, r1, r1, lsr #1      // 3 * level: its type in CLIDR
    lsr     r3, r0, r2
    ands    r3, r3, #7
    beq     levels_done             // no cache here or beyond
    cmp     r3, #2
    blo     next_level              // instructions only
    mcr     p15, 2, r1, c0, c0, 0   // CSSELR
    isb
    mrc     p15, 1, r2, c0, c0, 0   // CCSIDR
    and     r3, r2, #7
    add     r3, r3, #4              // log2 of the line length
    ubfx    r8, r2, #3, #10         // ways - 1
    ubfx    r9, r2, #13, #15        // sets - 1
    clz     r10, r8                 // where the way stands in the operand
each_way:
    mov     r2, r9
each_set:
    orr     r11, r1, r8, lsl r10
    orr     r11, r11, r2, lsl r3
    cmp     r12, #0
    mcreq   p15, 0, r11, c7, c6, 2  // DCISW
    mcrne   p15, 0, r11, c7, c14, 2 // DCCISW
    subs    r2, r2, #1
    bpl     each_set
    subs    r8, r8, #1
    bpl     each_way
next_level:
    add     r1, r1, #2
    cmp     r1, #14
    blo     each_level
levels_done:
    mov     r1, #0
    mcr     p15, 2, r1, c0, c0, 0
    dsb
    isb
    bx      lr

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

// Exceptions: none of them is expected, all of them are told.
    .macro  trap name, mode, number, adjust
\name:
    sub     lr, lr, #\adjust        // the instruction that did it
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
