// Caches, for the bootloader and for its unpacker (bootloader/unpack).

    .syntax unified
    .arm
    .section .text.caches, "ax"

// Invalidates (r12 = 0) or cleans and invalidates (r12 = 1) every data and
// unified cache by set and way. Registers only: between the moment the cache
// is switched off and the moment the last line is written back, a push to the
// stack would be lost under the line that covers it.
// Keeps r4-r7, r12 and sp, which live on in `reset`.
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
