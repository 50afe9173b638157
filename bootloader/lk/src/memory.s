// Copying and filling, which the compiler calls. The compiler's own are made
// for ARM state and for chips that load words from aligned addresses only:
// 2 KiB, where these take 200 bytes. The addresses may be any; blocks of words
// go where both are whole words.

    .syntax unified
    .thumb
    .section .text.memory, "ax"

    .macro  function names:vararg
    .irp    name, \names
    .global \name
    .type   \name, %function
    .thumb_func
\name:
    .endr
    .endm

// r0 = to, r1 = from, r2 = bytes; keeps r0. What overlaps is copied right.
    function memmove, __aeabi_memmove, __aeabi_memmove4, __aeabi_memmove8
    subs    r3, r0, r1
    cmp     r3, r2
    bhs     memcpy                  // the end of what is read stays whole
    push    {r4-r7, lr}
    add     r3, r0, r2
    add     r1, r2
    orr     r4, r1, r3
    lsls    r4, r4, #30
    bne     2f
1:  subs    r2, #16
    blo     1f
    ldmdb   r1!, {r4-r7}
    stmdb   r3!, {r4-r7}
    b       1b
1:  adds    r2, #16
2:  subs    r2, #4
    blo     3f
    ldr     r4, [r1, #-4]!
    str     r4, [r3, #-4]!
    b       2b
3:  adds    r2, #4
4:  subs    r2, #1
    blo     5f
    ldrb    r4, [r1, #-1]!
    strb    r4, [r3, #-1]!
    b       4b
5:  pop     {r4-r7, pc}

// The same for what does not overlap, or where `to` is below `from`.
    function memcpy, __aeabi_memcpy, __aeabi_memcpy4, __aeabi_memcpy8
    push    {r0, r4-r10, lr}
    orr     r3, r0, r1
    lsls    r3, r3, #30
    bne     2f
1:  subs    r2, #32
    blo     1f
    ldmia   r1!, {r3-r10}
    stmia   r0!, {r3-r10}
    b       1b
1:  adds    r2, #32
2:  subs    r2, #4
    blo     3f
    ldr     r3, [r1], #4
    str     r3, [r0], #4
    b       2b
3:  adds    r2, #4
4:  subs    r2, #1
    blo     5f
    ldrb    r3, [r1], #1
    strb    r3, [r0], #1
    b       4b
5:  pop     {r0, r4-r10, pc}

// r0 = address, r1 = bytes, r2 = what fills them.
    function __aeabi_memclr, __aeabi_memclr4, __aeabi_memclr8
    movs    r2, #0
    function __aeabi_memset, __aeabi_memset4, __aeabi_memset8
    mov     r3, r1
    mov     r1, r2
    mov     r2, r3
// r0 = address, r1 = what fills them, r2 = bytes; keeps r0.
    function memset
    push    {r0, r4-r6, lr}
    uxtb    r1, r1
    mov     r3, #0x01010101
    muls    r1, r3, r1
    lsls    r3, r0, #30
    bne     2f
    mov     r4, r1
    mov     r5, r1
    mov     r6, r1
1:  subs    r2, #16
    blo     1f
    stmia   r0!, {r1, r4-r6}
    b       1b
1:  adds    r2, #16
2:  subs    r2, #4
    blo     3f
    str     r1, [r0], #4
    b       2b
3:  adds    r2, #4
4:  subs    r2, #1
    blo     5f
    strb    r1, [r0], #1
    b       4b
5:  pop     {r0, r4-r6, pc}
