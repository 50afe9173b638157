// LZMA, unpacked where a boot waits for it: what `unilk_lzma` does, in a
// third of the bytes and of the time. It knows the one setting that
// `unilk pack` writes: lc 3, lp 1, pb 1.
//
// lzma_run(r0 = decoder, r1 = where to stop) goes on where it stopped the last
// time, until it has written the byte before r1, and perhaps some more; returns
// 0 in r0, or 1 if no packer wrote these bytes. Reads nothing but what is
// packed and what it has written, writes nothing outside of its room, whatever
// the packed bytes say.
//
// Source: the LZMA specification (7-zip, DOC/lzma-specification.txt).

    .syntax unified
    .thumb
    .section .text.lzma, "ax"

// Chances of each decision, in bytes from the first one.
    .equ    MATCH, 0                        // 12 states, 16 positions
    .equ    REP, MATCH + 2 * 12 * 16        // 12 states
    .equ    REP_0, REP + 2 * 12
    .equ    REP_1, REP_0 + 2 * 12
    .equ    REP_2, REP_1 + 2 * 12
    .equ    REP_0_LONG, REP_2 + 2 * 12      // 12 states, 16 positions
    .equ    SLOT, REP_0_LONG + 2 * 12 * 16  // 4 lengths, 64
    .equ    NEAR, SLOT + 2 * 4 * 64         // 128
    .equ    FAR, NEAR + 2 * 128             // 16
    .equ    LENGTH, FAR + 2 * 16            // 2, 16 * 8, 16 * 8, 256
    .equ    REP_LENGTH, LENGTH + 2 * 514
    .equ    LITERAL, REP_LENGTH + 2 * 514   // 16 contexts, 3 * 256

// The decoder (`Decoder` in lib.rs).
    .equ    RANGE, 0                        // range, code, next packed byte,
                                            // their end, next byte, state
    .equ    LAST, 24                        // the last four distances, then
                                            // where output begins and ends
    .equ    CHANCES, 48

// On the stack.
    .equ    DISTANCE, 0                     // the last four
    .equ    START, 16                       // where the output begins
    .equ    END, 20                         // and ends
    .equ    SAVED_R9, 24
    .equ    SAVED_LR, 28
    .equ    DECODER, 32
    .equ    STOP, 36
    .equ    FRAME, 40

// r4 width of the range, r5 code, r6 next packed byte, r7 their end, r8 next
// byte of output, r10 state, r11 chances less 2: where a tree would begin whose
// only decision is the first. r0-r3, r9, r12 and lr are for the moment.

    .global lzma_run
    .type   lzma_run, %function
    .thumb_func
lzma_run:
    push    {r4-r11, lr}
    sub     sp, #FRAME
    strd    r0, r1, [sp, #DECODER]
    add     r11, r0, #CHANCES - 2
    add     r12, r0, #LAST
    ldm     r12, {r4-r9}
    mov     r12, sp
    stm     r12, {r4-r9}
    ldm     r0, {r4-r8, r10}

next:
    ldr     r0, [sp, #STOP]
    cmp     r8, r0
    bhs     pause
    and     r0, r8, #1                      // position
    add     r0, r0, r10, lsl #4
    add     r9, r11, r0, lsl #1
    cmp     r4, #0x1000000                  // as `bit`, which most decisions
    blo     refill_first                    // of all would take
first:
    ldrh    r1, [r9, #2]
    lsr     r0, r4, #11
    mul     r0, r0, r1
    cmp     r5, r0
    bhs     repetition
    mov     r4, r0
    rsb     r2, r1, #2048
    add     r1, r1, r2, lsr #5
    strh    r1, [r9, #2]

// A byte: its context is the parity of its place, and three bits of the byte
// before it.
    ldrd    r0, r3, [sp, #START]
    and     r1, r8, #1
    lsl     r1, r1, #3
    cmp     r8, r0
    itt     hi
    ldrbhi  r0, [r8, #-1]
    orrhi   r1, r1, r0, lsr #5
    add     r1, r1, r1, lsl #1
    add     r9, r11, r1, lsl #9
    add     r9, r9, #LITERAL + 2
    mov     r3, #1
    cmp     r10, #7
    bhs     unlike

    .macro  literal_bit
    cmp     r4, #0x1000000
    blo     2f
1:  ldrh    r1, [r9, r3, lsl #1]
    lsr     r0, r4, #11
    mul     r0, r0, r1
    cmp     r5, r0
    bhs     3f
    mov     r4, r0
    rsb     r2, r1, #2048
    add     r1, r1, r2, lsr #5
    strh    r1, [r9, r3, lsl #1]
    lsls    r3, r3, #1
    b       4f
2:  bl      refill
    b       1b
3:  sub     r4, r4, r0
    sub     r5, r5, r0
    sub     r1, r1, r1, lsr #5
    strh    r1, [r9, r3, lsl #1]
    adc     r3, r3, r3                      // the comparison's carry
4:
    .endm

    .rept   8
    literal_bit
    .endr

literal:
    strb    r3, [r8], #1
    cmp     r10, #10                        // 0 to 3: 0; to 9: less 3; less 6
    ite     lo
    sublo   r10, r10, #3
    subhs   r10, r10, #6
    bic     r10, r10, r10, asr #31
    b       next

refill_first:
    bl      refill
    b       first

// A byte after a repetition: not the one with which that would have gone on.
// Up to the first bit that differs there are chances of their own.
unlike:
    ldr     r0, [sp, #DISTANCE]
    sub     r0, r8, r0
    ldrb    r12, [r0]
    add     r9, r9, #512
unlike_bit:
    lsl     r12, r12, #1
    and     lr, r12, #0x100
    add     lr, r9, lr, lsl #1
    cmp     r4, #0x1000000
    blo     2f
1:  ldrh    r1, [lr, r3, lsl #1]
    lsr     r0, r4, #11
    mul     r0, r0, r1
    cmp     r5, r0
    bhs     3f
    mov     r4, r0
    rsb     r2, r1, #2048
    add     r1, r1, r2, lsr #5
    strh    r1, [lr, r3, lsl #1]
    lsls    r3, r3, #1
    tst     r12, #0x100
    bne     differs
    cmp     r3, #0x100
    blo     unlike_bit
    b       literal
2:  cmp     r6, r7
    beq     damaged
    ldrb    r0, [r6], #1
    lsl     r4, r4, #8
    orr     r5, r0, r5, lsl #8
    b       1b
3:  sub     r4, r4, r0
    sub     r5, r5, r0
    sub     r1, r1, r1, lsr #5
    strh    r1, [lr, r3, lsl #1]
    adc     r3, r3, r3
    tst     r12, #0x100
    beq     differs
    cmp     r3, #0x100
    blo     unlike_bit
    b       literal
differs:
    mov     r12, #0x100
    cmp     r3, r12
    bhs     literal
    sub     r9, r9, #512
    bl      tree
    b       literal

repetition:
    sub     r4, r4, r0
    sub     r5, r5, r0
    sub     r1, r1, r1, lsr #5
    strh    r1, [r9, #2]
    add     r9, r11, r10, lsl #1
    add     r9, r9, #REP
    bl      bit
    add     r9, r11, r10, lsl #1
    bne     again

// From a new distance.
    cmp     r10, #7
    ite     lo
    movlo   r10, #7
    movhs   r10, #10
    ldrd    r0, r1, [sp, #DISTANCE]
    ldr     r2, [sp, #DISTANCE + 8]
    strd    r1, r2, [sp, #DISTANCE + 8]
    str     r0, [sp, #DISTANCE + 4]
    addw    r9, r11, #LENGTH
    bl      length
    str     r0, [sp, #SAVED_R9]
    subs    r0, r0, #2                      // chances by the length
    cmp     r0, #3
    it      hi
    movhi   r0, #3
    add     r9, r11, r0, lsl #7
    addw    r9, r9, #SLOT + 2
    mov     r12, #64
    bl      tree_from_1
    and     r0, r3, #63                     // magnitude
    cmp     r0, #4
    blo     distance
    lsr     r2, r0, #1
    sub     r2, r2, #1                      // bits below the first two
    and     r1, r0, #1
    orr     r1, r1, #2
    lsl     r1, r1, r2
    str     r1, [sp, #DISTANCE]
    cmp     r0, #14
    bhs     far
    sub     r0, r1, r0
    add     r9, r11, r0, lsl #1
    addw    r9, r9, #NEAR + 2
    b       low_bits
far:
    sub     r2, r2, #4
    mov     r1, #0
even:                                       // as likely as not
    cmp     r4, #0x1000000
    blo     2f
1:  lsr     r4, r4, #1
    cmp     r5, r4
    it      hs
    subhs   r5, r5, r4
    adc     r1, r1, r1
    subs    r2, r2, #1
    bne     even
    ldr     r0, [sp, #DISTANCE]
    add     r0, r0, r1, lsl #4
    str     r0, [sp, #DISTANCE]
    addw    r9, r11, #FAR + 2
    mov     r2, #4
    b       low_bits
2:  bl      refill
    b       1b
low_bits:                                   // r2 of them, lowest first
    mov     r12, #1
    lsl     r12, r12, r2
    str     r2, [sp, #SAVED_LR]
    bl      tree_from_1
    ldr     r2, [sp, #SAVED_LR]
    rsb     r2, r2, #32
    rbit    r3, r3
    lsr     r3, r3, r2
    ldr     r0, [sp, #DISTANCE]
    add     r0, r0, r3
distance:
    add     r0, r0, #1
    str     r0, [sp, #DISTANCE]
    ldr     r1, [sp, #SAVED_R9]
    b       take

// From one of the last four distances.
again:
    add     r9, r9, #REP_0
    bl      bit
    bne     earlier
    and     r0, r8, #1
    add     r0, r0, r10, lsl #4
    add     r9, r11, r0, lsl #1
    add     r9, r9, #REP_0_LONG
    bl      bit
    bne     same
    cmp     r10, #7
    ite     lo
    movlo   r10, #9
    movhs   r10, #11
    mov     r1, #1
    b       take
earlier:
    add     r9, r11, r10, lsl #1
    add     r9, r9, #REP_1
    bl      bit
    ldrd    r0, r1, [sp, #DISTANCE]
    beq     2f                              // the second
    add     r9, r11, r10, lsl #1
    add     r9, r9, #REP_2
    bl      bit
    ldrd    r0, r1, [sp, #DISTANCE]
    ldrd    r2, r12, [sp, #DISTANCE + 8]
    it      ne
    strne   r2, [sp, #DISTANCE + 12]
    str     r1, [sp, #DISTANCE + 8]
    ite     eq
    moveq   r1, r2
    movne   r1, r12
2:  strd    r1, r0, [sp, #DISTANCE]
same:
    cmp     r10, #7
    ite     lo
    movlo   r10, #8
    movhs   r10, #11
    addw    r9, r11, #REP_LENGTH
    bl      length
    mov     r1, r0

// r1 bytes, of what has been written.
take:
    ldr     r0, [sp, #DISTANCE]
    ldrd    r2, r3, [sp, #START]
    sub     r2, r8, r2
    sub     r12, r0, #1
    cmp     r12, r2
    bhs     damaged
    sub     r3, r3, r8
    cmp     r1, r3
    bhi     damaged
    sub     r2, r8, r0
1:  ldrb    r0, [r2], #1
    strb    r0, [r8], #1
    subs    r1, r1, #1
    bne     1b
    b       next

// The length of a repetition, in r0; r9: where its chances begin, less 2.
length:
    strd    r9, lr, [sp, #SAVED_R9]
    bl      bit
    ldr     r9, [sp, #SAVED_R9]
    mov     r12, #8
    and     r0, r8, #1
    bne     2f
    add     r9, r9, r0, lsl #4
    add     r9, r9, #6
    bl      tree_from_1
    sub     r0, r3, #8 - 2
    ldr     pc, [sp, #SAVED_LR]
2:  add     r9, r9, #2
    bl      bit
    ldr     r9, [sp, #SAVED_R9]
    mov     r12, #8
    and     r0, r8, #1
    bne     3f
    add     r9, r9, r0, lsl #4
    add     r9, r9, #6 + 2 * 16 * 8
    bl      tree_from_1
    add     r0, r3, #10 - 8
    ldr     pc, [sp, #SAVED_LR]
3:  addw    r9, r9, #6 + 4 * 16 * 8
    mov     r12, #256
    bl      tree_from_1
    sub     r0, r3, #256 - 18
    ldr     pc, [sp, #SAVED_LR]

// One decision, by the chance behind r9: NE if it is a 1.
bit:
    mov     r12, #2
// Decisions until r3 is r12 or more: its bits are what was decided, behind a
// 1, each by the chance that those before it choose.
tree_from_1:
    mov     r3, #1
tree:
    cmp     r4, #0x1000000
    blo     2f
1:  ldrh    r1, [r9, r3, lsl #1]
    lsr     r0, r4, #11
    mul     r0, r0, r1
    cmp     r5, r0
    bhs     3f
    mov     r4, r0
    rsb     r2, r1, #2048
    add     r1, r1, r2, lsr #5
    strh    r1, [r9, r3, lsl #1]
    lsls    r3, r3, #1
    cmp     r3, r12
    blo     tree
    bx      lr
2:  cmp     r6, r7
    beq     damaged
    ldrb    r2, [r6], #1
    lsl     r4, r4, #8
    orr     r5, r2, r5, lsl #8
    b       1b
3:  sub     r4, r4, r0
    sub     r5, r5, r0
    sub     r1, r1, r1, lsr #5
    strh    r1, [r9, r3, lsl #1]
    adc     r3, r3, r3
    cmp     r3, r12
    blo     tree
    bx      lr

// The next packed byte into the code; keeps all but r0.
refill:
    cmp     r6, r7
    beq     damaged
    ldrb    r0, [r6], #1
    lsl     r4, r4, #8
    orr     r5, r0, r5, lsl #8
    bx      lr

pause:
    mov     r0, #0
    b       return
damaged:
    mov     r0, #1
return:
    ldr     r1, [sp, #DECODER]
    stm     r1, {r4-r8, r10}
    add     r12, r1, #LAST
    mov     r1, sp
    ldm     r1, {r4-r9}
    stm     r12, {r4-r9}
    add     sp, #FRAME
    pop     {r4-r11, pc}
    .arm
