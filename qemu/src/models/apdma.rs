//! AP_DMA (0x11000000): the four channels of the I2C controllers. The other
//! channels and the global registers are remembered.
//!
//! A channel only says what is to be moved; the controller at its other end
//! moves the bytes when it has them or wants them. Source:
//! facts/i2c-touch-camera.md 1.10, facts/soc.md 1.7, 1.8.

use super::registers::read_only;
use super::scratch::Scratch;
use crate::bus::{Block, Context, GuestError, Reset, Size};
use crate::signals::DmaOrder;

const NAME: &str = "AP_DMA";
const LEN: u32 = 0x1000;

/// RUNNING: bit n = channel n, the I2C channels from 2 on.
const RUNNING: u32 = 0x08;
const FIRST_RUNNING_BIT: usize = 2;
/// I2C0 TX; RX and I2C1 follow.
const FIRST_CHANNEL: u32 = 0x180;
const CHANNEL_LEN: u32 = 0x80;
const CHANNELS: usize = 4;
const SPI_FIRST: u8 = 37;

const INT_FLAG: u32 = 0x00;
const INT_EN: u32 = 0x04;
const EN: u32 = 0x08;
const RST: u32 = 0x0C;
const CON: u32 = 0x18;
const MEM_ADDR: u32 = 0x1C;
const LENGTH: u32 = 0x24;

const RST_WARM: u32 = 1 << 0;
const RST_HARD: u32 = 1 << 1;
/// CON: from the device to memory.
const CON_TO_MEMORY: u32 = 1 << 0;

#[derive(Clone, Copy, Default)]
struct Channel {
    int_flag: bool,
    int_en: bool,
    /// Number of the transfer; 0: none runs.
    run: u32,
    in_reset: bool,
    con: u32,
    mem_addr: u32,
    len: u32,
}

/// The block.
pub struct ApDma {
    channels: [Channel; CHANNELS],
    runs: u32,
    rest: Scratch,
}

impl Default for ApDma {
    fn default() -> Self {
        Self::new()
    }
}

/// Channel and offset in it.
fn decode(offset: u32) -> Option<(usize, u32)> {
    let at = offset.checked_sub(FIRST_CHANNEL)?;
    let channel = (at / CHANNEL_LEN) as usize;
    (channel < CHANNELS).then_some((channel, at % CHANNEL_LEN))
}

impl ApDma {
    /// All channels at rest.
    pub fn new() -> Self {
        ApDma {
            channels: [Channel::default(); CHANNELS],
            runs: 0,
            rest: Scratch::new(NAME, LEN),
        }
    }

    /// Ends the transfers that the other end has finished, and drives wires
    /// and interrupts.
    fn follow(&mut self, cx: &mut Context<'_>) {
        for (index, channel) in self.channels.iter_mut().enumerate() {
            let moved = cx.signals.i2c_dma_moved[index];
            if channel.run != 0 && moved.run == channel.run && moved.bytes >= channel.len {
                channel.run = 0;
                channel.int_flag = true;
            }
            cx.signals.i2c_dma[index] = DmaOrder {
                run: channel.run,
                addr: channel.mem_addr,
                len: channel.len,
            };
            let active = channel.int_flag && channel.int_en;
            cx.irq.set(SPI_FIRST + index as u8, active);
        }
    }

    fn start(&mut self, index: usize, offset: u32, cx: &mut Context<'_>) {
        let channel = self.channels[index];
        // Even channels send.
        let to_memory = !index.is_multiple_of(2);
        let mistake = if channel.in_reset {
            Some((GuestError::Refused, "started while RST holds it in reset"))
        } else if channel.run != 0 {
            Some((GuestError::Refused, "started while it runs"))
        } else if channel.len == 0 {
            Some((GuestError::BadValue, "started for 0 bytes"))
        } else if (channel.con & CON_TO_MEMORY != 0) != to_memory {
            Some((GuestError::BadValue, "started in the wrong direction (CON)"))
        } else {
            None
        };
        if let Some((kind, text)) = mistake {
            cx.report(kind, NAME, offset, text);
            return;
        }
        self.runs = self.runs.wrapping_add(1).max(1);
        self.channels[index].run = self.runs;
    }

    fn write_channel(&mut self, index: usize, register: u32, value: u32, cx: &mut Context<'_>) {
        let offset = FIRST_CHANNEL + index as u32 * CHANNEL_LEN + register;
        let channel = &mut self.channels[index];
        if matches!(register, CON | MEM_ADDR | LENGTH) && channel.run != 0 {
            cx.report(
                GuestError::Refused,
                NAME,
                offset,
                "the channel is changed while it runs",
            );
            return;
        }
        match register {
            INT_FLAG => channel.int_flag &= value & 1 != 0,
            INT_EN => channel.int_en = value & 1 != 0,
            EN if value & 1 == 0 => channel.run = 0,
            EN => self.start(index, offset, cx),
            RST => {
                if value & RST_HARD != 0 {
                    *channel = Channel::default();
                } else if value & RST_WARM != 0 {
                    channel.run = 0;
                    channel.int_flag = false;
                }
                channel.in_reset = value & RST_HARD != 0;
            }
            CON => channel.con = value,
            MEM_ADDR => channel.mem_addr = value,
            LENGTH => channel.len = value & 0xFFFF,
            _ => self.rest.write(offset, 4, value, cx),
        }
    }

    fn read_channel(&mut self, index: usize, register: u32, cx: &mut Context<'_>) -> u32 {
        let offset = FIRST_CHANNEL + index as u32 * CHANNEL_LEN + register;
        let channel = &self.channels[index];
        match register {
            INT_FLAG => u32::from(channel.int_flag),
            INT_EN => u32::from(channel.int_en),
            EN => u32::from(channel.run != 0),
            RST => u32::from(channel.in_reset) << 1,
            CON => channel.con,
            MEM_ADDR => channel.mem_addr,
            LENGTH => channel.len,
            _ => self.rest.read(offset, 4, cx),
        }
    }
}

impl Block for ApDma {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        self.follow(cx);
        match decode(offset) {
            Some((index, register)) if size == 4 => self.read_channel(index, register, cx),
            None if offset == RUNNING => {
                let bits = self.channels.iter().enumerate();
                bits.filter(|(_, channel)| channel.run != 0)
                    .fold(0, |all, (index, _)| all | 1 << (FIRST_RUNNING_BIT + index))
            }
            _ => self.rest.read(offset, size, cx),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        self.follow(cx);
        match decode(offset) {
            Some((index, register)) if size == 4 => {
                self.write_channel(index, register, value, cx);
            }
            None if offset == RUNNING => read_only(NAME, offset, "RUNNING", cx),
            _ => self.rest.write(offset, size, value, cx),
        }
        self.follow(cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.channels = [Channel::default(); CHANNELS];
        self.rest.reset(kind, cx);
        self.follow(cx);
    }

    fn watches_wires(&self) -> bool {
        true
    }

    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        self.follow(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;
    use crate::signals::DmaProgress;

    /// I2C0 RX, as the vendor's driver starts it.
    fn start_rx(world: &mut TestWorld, dma: &mut ApDma, len: u32) {
        for (offset, value) in [
            (0x200, 0),
            (0x204, 1),
            (0x218, 1),
            (0x21C, 0x8000_0100),
            (0x224, len),
            (0x208, 1),
        ] {
            world.write(dma, offset, value);
        }
    }

    #[test]
    fn a_channel_runs_until_the_other_end_is_done() {
        let (mut world, mut dma) = (TestWorld::default(), ApDma::new());
        start_rx(&mut world, &mut dma, 6);
        let order = world.signals.i2c_dma[1];
        assert_ne!(order.run, 0);
        assert_eq!((order.addr, order.len), (0x8000_0100, 6));
        assert_eq!(world.read(&mut dma, 0x208), 1);
        assert_eq!(world.read(&mut dma, RUNNING), 1 << 3);
        let moved = |bytes| DmaProgress {
            run: order.run,
            bytes,
        };
        world.signals.i2c_dma_moved[1] = moved(5);
        dma.wires_changed(&mut world.cx());
        assert!(!world.irq.get(38));
        world.signals.i2c_dma_moved[1] = moved(6);
        dma.wires_changed(&mut world.cx());
        assert!(world.irq.get(38));
        assert_eq!(world.read(&mut dma, 0x208), 0);
        assert_eq!(world.read(&mut dma, 0x200), 1);
        world.write(&mut dma, 0x200, 0);
        assert!(!world.irq.get(38));
        // The next transfer is not the one that is finished.
        start_rx(&mut world, &mut dma, 6);
        assert_ne!(world.signals.i2c_dma[1].run, order.run);
        assert_eq!(world.read(&mut dma, 0x208), 1);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn resets() {
        let (mut world, mut dma) = (TestWorld::default(), ApDma::new());
        start_rx(&mut world, &mut dma, 6);
        world.write(&mut dma, 0x20C, 1);
        assert_eq!(world.read(&mut dma, 0x208), 0, "warm: it stops");
        assert_eq!(world.read(&mut dma, 0x224), 6, "and keeps its registers");
        world.write(&mut dma, 0x20C, 2);
        assert_eq!(world.read(&mut dma, 0x224), 0);
        assert!(world.reports.is_empty());
        start_rx(&mut world, &mut dma, 6);
        assert_eq!(world.reports.len(), 1, "held in reset");
        world.write(&mut dma, 0x20C, 0);
        world.write(&mut dma, 0x208, 1);
        assert_eq!(world.read(&mut dma, 0x208), 1);
    }

    #[test]
    fn mistakes_are_reported() {
        let (mut world, mut dma) = (TestWorld::default(), ApDma::new());
        world.write(&mut dma, 0x188, 1);
        world.write(&mut dma, 0x1A4, 3);
        world.write(&mut dma, 0x198, 1);
        world.write(&mut dma, 0x188, 1);
        assert_eq!(world.read(&mut dma, 0x188), 0);
        world.write(&mut dma, 0x198, 0);
        world.write(&mut dma, 0x188, 1);
        world.write(&mut dma, 0x188, 1);
        world.write(&mut dma, 0x1A4, 4);
        world.write(&mut dma, RUNNING, 0);
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        use GuestError::{BadValue, Refused};
        assert_eq!(kinds, [BadValue, BadValue, Refused, Refused, BadValue]);
    }

    #[test]
    fn other_channels_are_remembered() {
        let (mut world, mut dma) = (TestWorld::default(), ApDma::new());
        world.write(&mut dma, 0x49C, 0x1234_5678);
        assert_eq!(world.read(&mut dma, 0x49C), 0x1234_5678);
        world.write(&mut dma, 0x1D0, 7);
        assert_eq!(
            world.read(&mut dma, 0x1D0),
            7,
            "debug register of a channel"
        );
        dma.reset(Reset::Watchdog, &mut world.cx());
        assert_eq!(world.read(&mut dma, 0x49C), 0);
        assert!(world.reports.is_empty());
    }
}
