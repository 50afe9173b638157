// First instructions of lk.bin, from the preloader's jump to Rust.
//
// The entry contract (facts/soc.md 3.2, docs/entry-contract.md): ARM state,
// Secure SVC, MMU and data cache off, r4 = boot argument. Nothing is assumed
// of the I-cache, the branch predictor or the L2, and nothing of the address
// that we were loaded to: a boot image started by another loader may stand
// anywhere in DRAM, so everything up to `linked` is position-independent.
//
// The caches come on at once: without them, unpacking would take a second.

// Where a payload goes first that overlaps the place that it is linked to.
    .equ    STAGING, 0x80800000
// The translation table (16 KiB): where neither payload nor unpacker stands.
    .equ    TABLE, 0x800dc000
    .equ    OTHER_TABLE, 0x80700000
// Loaded from here on, so many bytes, a payload may stand on the first of them.
    .equ    NEAR_TABLE, 0x80080000
    .equ    NEAR_BYTES, 0x00080000
// What a payload has at most (unilk_core::packed).
    .equ    PAYLOAD_MAX, 0x48000
// Where the bootloader runs (linker/lk.ld).
    .equ    IMAGE, 0x80000000

// Sections: normal memory, write-back; device memory, never executed.
    .equ    NORMAL, 0x140e
    .equ    DEVICE, 0x0416

    .syntax unified
    .arm
    .section .text.entry, "ax"
    .global _start
    .type   _start, %function
    .balign 32

_start:
    b       reset
    .balign 32

// Head of the image, filled in when it is packed (unilk_core::packed).
    .ascii  "unilk\0\0\0"
    .skip   0x30

reset:
    cpsid   aif, #0x13              // SVC mode, everything masked
    mov     r5, r0                  // what a loader other than the preloader
    mov     r6, r1                  // passes; r4 is the boot argument
    mov     r7, r2

    mrc     p15, 0, r0, c1, c0, 0   // SCTLR: MMU, caches, branch predictor,
    bic     r0, r0, #0x3800         // alignment faults and high vectors off;
    bic     r0, r0, #0x0007         // exceptions in ARM state, little endian;
    bic     r0, r0, #0x72000000     // descriptors mean what is said here: no
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

// Every address is mapped to itself: the registers below DRAM, the 16 MiB in
// which all of the work is done, and the two in which we stand. What is not
// mapped is not there for the prefetcher either.
    adr     r8, _start
    ldr     r0, =NEAR_TABLE
    sub     r0, r8, r0
    cmp     r0, #NEAR_BYTES
    ldrhs   r9, =TABLE
    ldrlo   r9, =OTHER_TABLE
    mov     r0, #0                  // MiB
    ldr     r1, =DEVICE
    ldr     r2, =NORMAL
map:
    cmp     r0, #0x800
    orrlo   r3, r1, r0, lsl #20
    orrhs   r3, r2, r0, lsl #20
    cmp     r0, #0x810
    movhs   r3, #0
    str     r3, [r9, r0, lsl #2]
    add     r0, r0, #1
    cmp     r0, #0x1000
    blo     map
    lsr     r0, r8, #20
    orr     r3, r2, r0, lsl #20
    str     r3, [r9, r0, lsl #2]
    add     r0, r0, #1
    orr     r3, r2, r0, lsl #20
    str     r3, [r9, r0, lsl #2]
    dsb

    mov     r0, #0
    mcr     p15, 0, r0, c2, c0, 2   // TTBCR: one table
    mcr     p15, 0, r9, c2, c0, 0   // TTBR0, walked past the caches
    mov     r0, #1
    mcr     p15, 0, r0, c3, c0, 0   // DACR: permissions count
    isb
    mrc     p15, 0, r0, c1, c0, 0
    orr     r0, r0, #0x1800         // I, Z
    orr     r0, r0, #0x0005         // C, M
    mcr     p15, 0, r0, c1, c0, 0
    isb

// To the address that we are linked to. Where the two places overlap, the copy
// would overwrite this loop: then by way of a third place.
relocate:
    adr     r0, _start
    ldr     r1, =_start
    ldr     r2, [r0, #0x30]         // bytes of the payload
    cmp     r2, #PAYLOAD_MAX
    movhi   r2, #PAYLOAD_MAX
    subs    r3, r0, r1              // distance, either way
    beq     linked
    rsblo   r3, r3, #0
    cmp     r3, r2
    ldrls   r1, =STAGING
    mov     sp, r1                  // no stack yet: what data_caches keeps
copy:
    ldmia   r0!, {r3, r8-r11}       // some bytes more than there are
    stmia   r1!, {r3, r8-r11}
    subs    r2, r2, #20
    bhi     copy
    sub     r1, r1, sp              // what was copied becomes code
    mov     r0, sp
    bl      code_written
    ldr     r0, =_start
    cmp     sp, r0
    ldreq   pc, =linked
    adr     r0, _start
    adr     r1, relocate
    sub     r1, r1, r0
    add     pc, sp, r1              // the same again, from the third place

linked:
    ldr     r0, =__bss_start
    ldr     r1, =__bss_end
    mov     r2, #0
    mov     r3, #0
zero:
    cmp     r0, r1
    stmialo r0!, {r2, r3}
    blo     zero
    ldr     sp, =__stack_top
    push    {r4-r7}                 // for the bootloader, see its start.s
    mov     r0, sp
    bl      unpack                  // returns the bytes that may be run
    mov     r1, r0
    ldr     r0, =IMAGE
    mov     r3, r0
    bl      code_written
    mov     r0, sp
    bx      r3

// r1 bytes from r0 on were written and shall be run: out of the data cache, to
// where the I-cache finds them. Clobbers r0 and r1.
code_written:
    mcr     p15, 0, r0, c7, c11, 1  // DCCMVAU
    add     r0, r0, #64
    subs    r1, r1, #64
    bhi     code_written
    dsb
    mov     r0, #0
    mcr     p15, 0, r0, c7, c5, 0   // I-cache
    mcr     p15, 0, r0, c7, c5, 6   // branch predictor
    dsb
    isb
    bx      lr
    .ltorg
