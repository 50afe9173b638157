// The head of the test kernel: a zImage to the loader, a decompressor in
// manner. It finds out where "the kernel" goes the way one generation of real
// kernels does, copies itself there, and runs from there at virtual address
// 0xC0008000 - so a loader that puts it next to something in use destroys
// that, as it would with a real kernel.
//
//   feature head-fixed    ldr r4, =zreladdr          vendor 3.4
//   feature head-masked   PC & 0xf8000000            before Linux 5.12
//   feature head-tree     the same, then the tree    since Linux 5.12
//
// Source: facts/storage-and-images.md 5.4.

    .syntax unified
    .arm
    .section .text.head, "ax"
    .global _head
    .type   _head, %function
_head:
    .rept 8
    mov     r0, r0                  // as every zImage begins
    .endr
    b       1f
    .word   0x016F2818              // zImage magic, +0x24
    .word   0                       // start, +0x28
    .word   __file_end - _head      // end, +0x2c
.if HEAD != 0                       // a kernel of 3.4 has neither
.if HEAD != 0                           // 3.4 ends its header here
    .word   0x04030201              // little endian
    .word   0x45454545              // table magic
    .word   tags - _head            // where the table lies
.endif
.endif
1:
    mrs     r9, cpsr                // what we were entered with
    mov     r7, r1
    mov     r8, r2
    mov     r6, r0
    adr     r5, _head               // where we were loaded

.if HEAD == 0
    ldr     r4, =0x80108000         // zreladdr
.elseif HEAD == 1
    mov     r4, pc
    and     r4, r4, #0xf8000000
    add     r4, r4, #TEXT_OFFSET
.else
    mov     r0, pc
    and     r0, r0, #0xf8000000
    mov     r1, r8
    bl      check_mem_start
    add     r4, r0, #TEXT_OFFSET
.endif

// To the final place: [r5, r5 + size) -> r4, whichever side it lies on.
    ldr     r10, =__file_end
    ldr     r0, =_head
    sub     r10, r10, r0
    add     r10, r10, #31
    bic     r10, r10, #31
    cmp     r4, r5
    beq     placed
    bhi     2f
    mov     r0, r5
    mov     r1, r4
    add     r2, r5, r10
3:  ldr     r3, [r0], #4
    str     r3, [r1], #4
    cmp     r0, r2
    blo     3b
    b       4f
2:  add     r0, r5, r10
    add     r1, r4, r10
5:  ldr     r3, [r0, #-4]!
    str     r3, [r1, #-4]!
    cmp     r0, r5
    bhi     5b
4:
    // The I-cache is off at entry by contract; invalidate all the same.
    mov     r0, #0
    mcr     p15, 0, r0, c7, c5, 0
    dsb
    isb
    ldr     r0, =placed
    ldr     r1, =_head
    sub     r0, r0, r1
    add     pc, r4, r0

placed:
// Translation table at the place - 0x4000, as Linux has it: everything to
// itself, and 4 MiB at 0xC0000000 to the MiB that we stand in.
    sub     r0, r4, #0x4000
    ldr     r1, =0x00000c02         // section, read-write
    mov     r2, #0
6:  orr     r3, r1, r2, lsl #20
    str     r3, [r0, r2, lsl #2]
    add     r2, r2, #1
    cmp     r2, #4096
    blo     6b
    lsr     r2, r4, #20
    add     r3, r0, #0x3000         // 0xC00 * 4
    mov     r11, #4
7:  orr     r12, r1, r2, lsl #20
    str     r12, [r3], #4
    add     r2, r2, #1
    subs    r11, r11, #1
    bne     7b
    dsb
    mcr     p15, 0, r0, c2, c0, 0
    mov     r1, #0
    mcr     p15, 0, r1, c2, c0, 2
    mcr     p15, 0, r1, c8, c7, 0
    mov     r1, #3
    mcr     p15, 0, r1, c3, c0, 0
    mrc     p15, 0, r10, c1, c0, 0  // SCTLR as we got it
    orr     r1, r10, #1
    dsb
    isb
    mcr     p15, 0, r1, c1, c0, 0
    isb
    ldr     pc, =virtual

virtual:
    ldr     r0, =__bss_start
    ldr     r1, =__bss_end
    mov     r2, #0
8:  cmp     r0, r1
    strlo   r2, [r0], #4
    blo     8b
    ldr     sp, =__stack_top
    push    {r4, r5}
    push    {r9, r10}
    mov     r0, r6
    mov     r1, r7
    mov     r2, r8
    mov     r3, sp                  // [cpsr, sctlr, place, loaded at]
    bl      kernel
9:  b       9b

.if HEAD == 2
// fdt_check_mem_start: r0 = masked address, r1 = tree. Keeps the address if a
// memory node holds it, else the lowest memory, rounded up to 2 MiB. Reads
// only as much of a tree as a loader may leave in front of a kernel: walks the
// structure block for a node whose name starts with "memory".
check_mem_start:
    ldr     r2, [r1]
    rev     r2, r2
    ldr     r3, =0xd00dfeed
    cmp     r2, r3
    bxne    lr
    ldr     r2, [r1, #8]            // structure block
    rev     r2, r2
    add     r2, r1, r2
    ldr     r3, [r1, #12]           // strings
    rev     r3, r3
    add     r1, r1, r3
    mov     r11, #-1                // lowest memory so far
    mov     r12, #0                 // inside a memory node
10: ldr     r3, [r2], #4
    rev     r3, r3
    cmp     r3, #1
    beq     begin
    cmp     r3, #3
    beq     prop
    cmp     r3, #9
    beq     done
    cmp     r3, #2
    moveq   r12, #0
    b       10b
begin:
    ldr     r3, [r2]
    ldr     r10, =0x6f6d656d        // "memo"
    cmp     r3, r10
    moveq   r12, #1
11: ldrb    r3, [r2], #1
    cmp     r3, #0
    bne     11b
    add     r2, r2, #3
    bic     r2, r2, #3
    b       10b
prop:
    ldr     r3, [r2], #4
    rev     r3, r3                  // length
    ldr     r10, [r2], #4
    rev     r10, r10
    add     r10, r1, r10            // name
    ldrb    r4, [r10], #1
    cmp     r4, #0x72               // "reg"
    bne     skip
    ldrb    r4, [r10], #1
    cmp     r4, #0x65
    bne     skip
    ldrb    r4, [r10], #1
    cmp     r4, #0x67
    bne     skip
    cmp     r12, #0
    beq     skip
    add     r10, r2, r3             // end of the cells (1 address, 1 size cell)
12: cmp     r2, r10
    bhs     10b
    ldr     r3, [r2], #4
    rev     r3, r3                  // base
    ldr     r4, [r2], #4
    rev     r4, r4                  // size
    sub     r4, r4, #1
    add     r4, r4, r3              // last byte
    cmp     r0, r3
    blo     13f
    cmp     r0, r4
    bxls    lr                      // the masked address is memory: keep it
13: ldr     r4, =0x1fffff
    add     r3, r3, r4
    bic     r3, r3, r4
    cmp     r3, r11
    movlo   r11, r3
    b       12b
skip:
    add     r2, r2, r3
    add     r2, r2, #3
    bic     r2, r2, #3
    b       10b
done:
    mov     r0, r11
    bx      lr
.endif
    .ltorg
    .balign 4
tags:                               // how large we are when unpacked
    .word   4                       // words in this tag
    .word   0x5a534c4b
    .word   unpacked - _head        // where the inflated size stands
    .word   __bss_bytes             // and what is zeroed behind it
    .word   0
unpacked:
    .word   __file_end - _head
