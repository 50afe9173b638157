//! What the askers of `unilk-core` talk to: one port a part.

use mt6572_hal::clocks::Gate;
use mt6572_hal::dsi::{self, DsiError};
use mt6572_hal::i2c::I2c;
use mt6572_hal::time::{Deadline, Micros};
use unilk_board_db::{
    BusWiring, CameraWiring, PanelBus, PanelReset, PanelWiring, PinMode, Rail, ReadKind, Supply,
    TouchWiring,
};
use unilk_core::identify::camera::{CameraPort, Socket};
use unilk_core::identify::touch::TouchPort;
use unilk_core::identify::wiring::Drive;
use unilk_core::identify::{BusPort, Clock, PanelPort, PortError, Strap};

use super::dbi;
use super::hardware::Switched;
use super::{Parts, with};
use crate::meanwhile;

/// The clock of the boot.
pub struct BootClock;

impl Clock for BootClock {
    fn now_us(&self) -> u32 {
        mt6572_hal::time::uptime_us() as u32
    }

    fn wait_us(&self, us: u32) -> impl Future<Output = ()> {
        meanwhile::pause(Micros(us))
    }
}

/// What a divider on an identification channel gives, in millivolts.
const DIVIDED_MV: core::ops::RangeInclusive<u16> = 20..=1480;
/// Data type of "set maximum return packet size".
const MAX_RETURN: u8 = 0x37;

/// The panel's reset pin and DSI.
pub struct PanelPins {
    parts: &'static Parts,
    /// The profile.
    pub wiring: PanelWiring,
    drive: Drive,
    switched: Switched,
    /// Since the panel runs; `None` while it is held in reset.
    released: Option<Deadline>,
    /// Id of the profile, where it is known to be this board's, and so what its
    /// pins and voltages mean.
    pub known: Option<&'static str>,
    /// Since it is held in reset, and how long it was.
    held: Option<Deadline>,
    low_ms: u16,
    /// Something was sent since the release.
    sent: bool,
    /// What the panel is talked to over.
    bus: PanelBus,
}

impl PanelPins {
    /// The panel as `wiring` says.
    pub fn new(parts: &'static Parts, wiring: PanelWiring, drive: Drive) -> Self {
        Self {
            parts,
            wiring,
            drive,
            switched: Switched::new(),
            released: None,
            known: None,
            held: None,
            low_ms: 0,
            sent: false,
            bus: PanelBus::Dsi,
        }
    }

    /// Talks to the panel over `bus` from now on. False: its pads are not free.
    pub fn connect(&mut self, bus: PanelBus) -> bool {
        with(self.parts, |hardware| {
            if self.bus.is_dbi() && !bus.is_dbi() {
                dbi::close(hardware, self.bus);
            }
            if bus.is_dbi() && !dbi::open(hardware, bus) {
                return false;
            }
            self.bus = bus;
            true
        })
    }

    /// Supplies on.
    pub fn power(&mut self) {
        with(self.parts, |hardware| {
            for &supply in self.wiring.supplies {
                hardware.supply(supply, &mut self.switched);
            }
        });
    }

    /// Supplies off again.
    pub fn power_off(&mut self) {
        with(self.parts, |hardware| {
            hardware.supplies_off(&mut self.switched);
        });
    }

    /// Whether the panel is out of reset.
    pub fn runs(&self) -> bool {
        self.released.is_some()
    }

    /// Somebody else had the panel: its reset has to be made again.
    pub fn forget(&mut self) {
        self.released = None;
    }

    /// Milliseconds for which the last reset lasted.
    pub fn low_ms(&self) -> u16 {
        self.low_ms
    }

    /// What is left of `ms` since the last reset.
    pub fn rest_of(&self, ms: u16) -> Micros {
        let passed = self.released.map_or(0, Deadline::passed_us);
        Micros((u32::from(ms) * 1000).saturating_sub(passed))
    }
}

impl PanelPort for PanelPins {
    fn is_dbi(&self) -> bool {
        self.bus.is_dbi()
    }

    fn reset(&mut self, high: bool) {
        with(self.parts, |hardware| match self.wiring.reset {
            PanelReset::Lrstb(pin) => {
                hardware.hal.dbi.set_panel_reset(high);
                if self.drive == Drive::PushPull {
                    hardware.set_mode(pin);
                }
            }
            PanelReset::Gpio(pin) => hardware.set_level(pin, high, self.drive),
        });
        let now = Deadline::after(Micros(0));
        self.sent = false;
        if high {
            let held = self.held.take().map_or(0, Deadline::passed_us);
            self.low_ms = (held / 1000) as u16;
            self.released = Some(now);
        } else {
            self.released = None;
            self.held.get_or_insert(now);
        }
    }

    fn held_low_us(&self) -> u32 {
        self.held.map_or(0, Deadline::passed_us)
    }

    fn wiring(&self) -> Option<&str> {
        self.known
    }

    fn awake_us(&self) -> Option<u32> {
        self.released
            .filter(|_| !self.sent)
            .map(Deadline::passed_us)
    }

    fn write(&mut self, data_type: u8, payload: &[u8]) -> Result<(), PortError> {
        if data_type == MAX_RETURN {
            // The host's driver says it before each read.
            return Ok(());
        }
        self.sent = true;
        with(self.parts, |hardware| {
            if self.bus.is_dbi() {
                return dbi::write(hardware, data_type, payload).map_err(|_| PortError::Host);
            }
            let sent = hardware.hal.dsi.write(data_type, payload);
            sent.map_err(port_error)
        })
    }

    fn read(&mut self, kind: ReadKind, register: u16, buf: &mut [u8]) -> Result<usize, PortError> {
        self.sent = true;
        let kind = match kind {
            ReadKind::Dcs => dsi::ReadKind::Dcs,
            ReadKind::Generic => dsi::ReadKind::Generic,
            ReadKind::Dbi => {
                let answered = with(self.parts, |hardware| dbi::read(hardware, register, buf));
                return match answered {
                    Ok(true) => Ok(buf.len()),
                    Ok(false) => Err(PortError::Silence),
                    Err(_) => Err(PortError::Host),
                };
            }
        };
        with(self.parts, |hardware| {
            // DSI's registers have 8 bits.
            hardware.hal.dsi.read(kind, register as u8, buf)
        })
        .map_err(port_error)
    }

    fn strap(&mut self, index: u8) -> Option<Strap> {
        let pin = *self.wiring.straps.get(usize::from(index))?;
        with(self.parts, |hardware| hardware.strap(pin))
    }

    fn voltage_mv(&mut self, channel: u8) -> Option<u16> {
        // On an unknown board both that are ever used: measuring moves nothing.
        let maybe = self.wiring.adc.is_none() && channel <= 1;
        if self.wiring.adc != Some(channel) && !maybe {
            return None;
        }
        with(self.parts, |hardware| {
            hardware.hal.topckgen.open(Gate::AuxAdc);
            let measured = hardware.hal.auxadc.read_mv(channel).ok();
            hardware.hal.topckgen.close(Gate::AuxAdc);
            // Grounded and open channels tell nothing of a board whose divider
            // is not known to be there.
            measured.filter(|mv| self.known.is_some() || DIVIDED_MV.contains(mv))
        })
    }
}

fn port_error(error: DsiError) -> PortError {
    match error {
        DsiError::NoAnswer => PortError::Silence,
        DsiError::ErrorReport(_) | DsiError::Unexpected(_) => PortError::Corrupt,
        DsiError::Busy | DsiError::TooLong | DsiError::Mode | DsiError::Link => PortError::Host,
    }
}

/// The touch chip's pins, supplies and bus.
pub struct TouchPins<'b> {
    parts: &'static Parts,
    wiring: TouchWiring,
    drive: Drive,
    switched: Switched,
    bus: &'b mut I2c,
}

impl<'b> TouchPins<'b> {
    /// The touch chip as `wiring` says.
    pub fn new(parts: &'static Parts, wiring: TouchWiring, drive: Drive, bus: &'b mut I2c) -> Self {
        Self {
            parts,
            wiring,
            drive,
            switched: Switched::new(),
            bus,
        }
    }

    fn level(&self, pin: Option<u8>, high: bool) {
        if let Some(pin) = pin {
            with(self.parts, |hardware| {
                hardware.set_level(pin, high, self.drive);
            });
        }
    }
}

fn recover(parts: &'static Parts, wiring: &BusWiring, bus: &mut I2c) -> bool {
    let free = with(parts, |hardware| hardware.recover(wiring));
    bus.reset();
    free
}

impl BusPort for TouchPins<'_> {
    type Bus = I2c;

    fn bus(&mut self) -> &mut I2c {
        self.bus
    }

    fn recover(&mut self) -> bool {
        recover(self.parts, &self.wiring.bus, self.bus)
    }
}

impl TouchPort for TouchPins<'_> {
    fn reset(&mut self, assert: bool) {
        self.level(self.wiring.reset, !assert);
    }

    fn enable(&mut self, on: bool) {
        self.level(self.wiring.enable, on);
    }

    fn has_reset(&self) -> bool {
        let wired = self.wiring.reset.is_some() || self.wiring.enable.is_some();
        // A pull may lose against whatever the board has there.
        wired && self.drive == Drive::PushPull
    }

    fn interrupt_low(&mut self, drive: Option<bool>) {
        let pin = self.wiring.interrupt;
        match drive {
            Some(low) => self.level(Some(pin.pin), !low),
            None => with(self.parts, |hardware| {
                hardware.float(pin.pin);
                hardware.set_mode(pin);
            }),
        }
    }

    fn supplies(&mut self, on: bool) {
        with(self.parts, |hardware| {
            if on {
                for &supply in self.wiring.supplies {
                    hardware.supply(supply, &mut self.switched);
                }
            } else {
                hardware.supplies_off(&mut self.switched);
            }
        });
    }
}

/// The cameras' pins, supplies, clock and bus.
pub struct CameraPins<'b> {
    parts: &'static Parts,
    bus_wiring: BusWiring,
    wiring: [Option<CameraWiring>; 2],
    drives: [Drive; 2],
    switched: Switched,
    bus: &'b mut I2c,
}

/// CMMCLK.
const CLOCK_PIN: PinMode = PinMode { pin: 62, mode: 1 };
/// What all sockets have in common.
const IO_AND_ANALOGUE: [Supply; 2] = [
    Supply {
        rail: Rail::VcamIo,
        mv: 1800,
    },
    Supply {
        rail: Rail::Vcama,
        mv: 2800,
    },
];

impl<'b> CameraPins<'b> {
    /// The cameras as the profile says.
    pub fn new(
        parts: &'static Parts,
        bus_wiring: BusWiring,
        wiring: [Option<CameraWiring>; 2],
        drives: [Drive; 2],
        bus: &'b mut I2c,
    ) -> Self {
        Self {
            parts,
            bus_wiring,
            wiring,
            drives,
            switched: Switched::new(),
            bus,
        }
    }

    fn level(&self, socket: Socket, pin: impl Fn(&CameraWiring) -> u8, high: bool) {
        let index = socket as usize;
        let wiring = self.wiring.get(index).and_then(Option::as_ref);
        if let Some((wiring, &drive)) = wiring.zip(self.drives.get(index)) {
            let pin = pin(wiring);
            with(self.parts, |hardware| hardware.set_level(pin, high, drive));
        }
    }
}

impl BusPort for CameraPins<'_> {
    type Bus = I2c;

    fn bus(&mut self) -> &mut I2c {
        self.bus
    }

    fn recover(&mut self) -> bool {
        recover(self.parts, &self.bus_wiring, self.bus)
    }
}

impl CameraPort for CameraPins<'_> {
    fn power(&mut self, _socket: Socket, core_mv: u16) {
        let core = Supply {
            rail: Rail::Vcamd,
            mv: core_mv,
        };
        with(self.parts, |hardware| {
            for supply in IO_AND_ANALOGUE.into_iter().chain([core]) {
                hardware.supply(supply, &mut self.switched);
            }
        });
    }

    fn off(&mut self, _socket: Socket) {
        with(self.parts, |hardware| {
            hardware.supplies_off(&mut self.switched);
        });
    }

    fn reset(&mut self, socket: Socket, assert: bool) {
        self.level(socket, |wiring| wiring.reset, !assert);
    }

    fn power_down(&mut self, socket: Socket, high: bool) {
        self.level(socket, |wiring| wiring.power_down, high);
    }

    fn clock(&mut self, on: bool) {
        with(self.parts, |hardware| {
            let hal = &mut hardware.hal;
            if on {
                hal.topckgen.camera_on_48m();
                hal.topckgen.open(Gate::CamMm);
                hal.mmsys.open_camera();
                hal.camera_clock.start();
                hardware.claim(CLOCK_PIN);
            } else if hal.topckgen.is_open(Gate::CamMm) {
                hal.mmsys.open_camera();
                hal.camera_clock.stop();
                hal.mmsys.close_camera();
                hal.topckgen.close(Gate::CamMm);
                hardware.restore(CLOCK_PIN.pin);
            }
        });
    }
}
