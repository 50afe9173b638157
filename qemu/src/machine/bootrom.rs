//! The boot ROM: a few instructions that put both cores where the real boot
//! ROM and preloader put them.
//!
//! Core 0 rings the doorbell, which makes the preloader model act, then takes
//! its registers from there and jumps. Core 1 waits as the real boot ROM makes
//! it wait. A reset runs it all again. Source: facts/soc.md 1.3, 3.2.

/// Doorbell registers, as offsets in the page at [`super::map::DOORBELL`].
pub mod doorbell {
    /// Write: the preloader acts. Read: the entry address, 0 while there is none.
    pub const ENTRY: u32 = 0x00;
    /// SCTLR at the jump.
    pub const SCTLR: u32 = 0x04;
    /// VBAR at the jump.
    pub const VBAR: u32 = 0x08;
    /// Stack pointer at the jump.
    pub const SP: u32 = 0x0C;
    /// r0 to r5 at the jump, the last read before it.
    pub const R0: u32 = 0x10;
    /// The last of them.
    pub const R5: u32 = 0x24;
}

/// The code, entered by both cores at address 0 in ARM state, Secure SVC mode,
/// MMU and caches off.
pub const STUB: &[u32] = &[
    0xEE10_0FB0, // 00  mrc   p15, 0, r0, c0, c0, 5   MPIDR
    0xE210_0003, // 04  ands  r0, r0, #3
    0x1A00_0013, // 08  bne   core1
    //                  core 0: where one thread runs both cores, core 1 first gets to its WFI
    0xE320_F002, // 0c  wfe
    //                  then let the preloader act
    0xE3A0_8601, // 10  mov   r8, #0x100000           doorbell
    0xE588_8000, // 14  str   r8, [r8]
    0xE598_9000, // 18  wait: ldr r9, [r8]            entry
    0xE359_0000, // 1c  cmp   r9, #0
    0x0320_F003, // 20  wfieq                         no image: the machine stops here
    0x0AFF_FFFB, // 24  beq   wait
    0xEE11_0F30, // 28  mrc   p15, 0, r0, c1, c0, 1   ACTLR
    0xE3C0_0040, // 2c  bic   r0, r0, #0x40           SMP off
    0xEE01_0F30, // 30  mcr   p15, 0, r0, c1, c0, 1
    0xE598_0004, // 34  ldr   r0, [r8, #4]
    0xEE01_0F10, // 38  mcr   p15, 0, r0, c1, c0, 0   SCTLR
    0xE598_0008, // 3c  ldr   r0, [r8, #8]
    0xEE0C_0F10, // 40  mcr   p15, 0, r0, c12, c0, 0  VBAR
    0xE598_D00C, // 44  ldr   sp, [r8, #12]
    0xF57F_F06F, // 48  isb
    0xE288_8010, // 4c  add   r8, r8, #16
    0xE898_003F, // 50  ldm   r8, {r0-r5}
    0xE321_F0D3, // 54  msr   cpsr_c, #0xd3           SVC, IRQ and FIQ masked
    0xE12F_FF19, // 58  bx    r9
    //                  core 1: with the GIC's CPU interface open, so that an SGI ends the WFI
    0xE59F_1040, // 5c  core1: ldr r1, gicc
    0xE59F_3040, // 60  ldr   r3, sramrom
    0xE59F_4040, // 64  ldr   r4, magic
    0xE3A0_20F0, // 68  mov   r2, #0xf0
    0xE581_2004, // 6c  str   r2, [r1, #4]            GICC_PMR
    0xE3A0_2001, // 70  mov   r2, #1
    0xE581_2000, // 74  str   r2, [r1]                GICC_CTLR
    0xE593_2000, // 78  ldr   r2, [r3]                BOOT_SLV_CFG
    0xE312_0001, // 7c  tst   r2, #1
    0x1593_F004, // 80  ldrne pc, [r3, #4]            BOOT_SLV_ADDR: back after a power cycle
    0xE593_200C, // 84  poll: ldr r2, [r3, #12]       SLAVE1_MAGIC
    0xE152_0004, // 88  cmp   r2, r4
    0x0593_F008, // 8c  ldreq pc, [r3, #8]            SLAVE_JUMP
    0xE320_F003, // 90  wfi
    0xE591_200C, // 94  ldr   r2, [r1, #12]           GICC_IAR
    0xE581_2010, // 98  str   r2, [r1, #16]           GICC_EOIR
    0xEAFF_FFF8, // 9c  b     poll
    0xE320_F000, // a0  nop
    0x1021_2000, // a4  gicc
    0x1000_1400, // a8  sramrom
    0x534C_4131, // ac  magic "SLA1"
];

/// What the stub loads before it jumps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handover {
    /// Where it jumps.
    pub entry: u32,
    /// System control register.
    pub sctlr: u32,
    /// Vector base.
    pub vbar: u32,
    /// Stack pointer.
    pub sp: u32,
    /// r0 to r5.
    pub registers: [u32; 6],
}

impl Handover {
    /// What the doorbell register at `offset` reads as.
    pub fn read(&self, offset: u32) -> u32 {
        match offset {
            doorbell::ENTRY => self.entry,
            doorbell::SCTLR => self.sctlr,
            doorbell::VBAR => self.vbar,
            doorbell::SP => self.sp,
            doorbell::R0..=doorbell::R5 => self.registers[((offset - doorbell::R0) / 4) as usize],
            _ => 0,
        }
    }
}
