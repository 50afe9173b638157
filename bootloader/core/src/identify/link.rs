//! Over which connections the panel is asked, and in which order.
//!
//! A phone's panel is on DSI or on a bus of the LCD controller. The lanes of
//! DSI have pads of their own, so asking there harms nobody. The buses share
//! theirs with touch chips, keys and cards: they are asked only where nobody
//! else can be meant. Either the preloader, which sets every pad as the board
//! needs it, has given all pads of a bus to the LCD controller; or something
//! stronger than an ID names a panel on a bus, and all of its pads are in
//! their modes or inputs that nobody has given a function (DESIGN.md,
//! "Harmless probing"). Source: facts/display.md 8.1 (pads).

use super::wiring::PinState;
use heapless::Vec;
use unilk_board_db::{BusCycle, PanelBus, ParallelBus, PinMode, SerialBus};

/// Pads of the widest bus: 18 data lines, A0, two strobes, chip select.
const MAX_PADS: usize = 22;
/// LPD0; the other data lines follow it.
const FIRST_DATA_PAD: u8 = 14;
/// Mode of the data lines.
const DATA_MODE: u8 = 1;
/// LPA0, LPWRB, LPRDB, LPCE0B. The LCD controller has other pads for these,
/// but those are the eMMC's.
const PARALLEL_CONTROL: [PinMode; 4] = [pad(56, 2), pad(57, 2), pad(58, 2), pad(60, 2)];
/// LSCE0B, LSCK, LSDA.
const SERIAL_CONTROL: [PinMode; 3] = [pad(60, 5), pad(128, 6), pad(129, 6)];
/// Tells commands from parameters, on four wires.
const LSA0: PinMode = pad(142, 2);
/// Answers, where they have a line of their own.
const LSDI: PinMode = pad(145, 4);

/// Cycles that every panel takes: the slowest data sheet asks for 500 ns a
/// read, a cycle is thought to be 10 ns long.
const SLOW_WRITE: BusCycle = BusCycle {
    setup: 4,
    strobe: 10,
    hold: 4,
};
const SLOW_READ: BusCycle = BusCycle {
    setup: 4,
    strobe: 63,
    hold: 8,
};
const SLOW_PHASES: [u8; 2] = [15, 15];

const fn pad(pin: u8, mode: u8) -> PinMode {
    PinMode { pin, mode }
}

/// The pads of a bus of the LCD controller; none of DSI and DPI.
pub fn pads(bus: PanelBus) -> Vec<PinMode, MAX_PADS> {
    let mut pads = Vec::new();
    // None has more than there is room for.
    match bus {
        PanelBus::Dsi | PanelBus::Dpi => {}
        PanelBus::Parallel(bus) => {
            let data = (0..bus.width).map(|line| pad(FIRST_DATA_PAD + line, DATA_MODE));
            pads.extend(data.chain(PARALLEL_CONTROL).take(MAX_PADS));
        }
        PanelBus::Serial(bus) => {
            pads.extend(SERIAL_CONTROL);
            pads.extend((!bus.three_wire).then_some(LSA0));
            pads.extend(bus.own_output.then_some(LSDI));
        }
    }
    pads
}

/// The bus whose pads the preloader has given to the LCD controller, with the
/// cycles that every panel takes.
pub fn bus_at_entry(entry: &dyn PinState) -> Option<PanelBus> {
    let set = |pads: &[PinMode]| {
        let mut pads = pads.iter();
        pads.all(|pad| entry.mode(pad.pin) == Some(pad.mode))
    };
    if set(&PARALLEL_CONTROL) {
        let widths = [(18, 32), (16, 16), (9, 8), (8, 8)].into_iter();
        let buses = widths.map(|(width, access)| {
            PanelBus::Parallel(ParallelBus {
                width,
                access,
                wide: false,
                pad_high: false,
                low_first: false,
                write: SLOW_WRITE,
                read: SLOW_READ,
            })
        });
        let mut buses = buses.into_iter();
        return buses.find(|&bus| set(&pads(bus)));
    }
    set(&SERIAL_CONTROL).then(|| {
        PanelBus::Serial(SerialBus {
            three_wire: !set(&[LSA0]),
            own_output: set(&[LSDI]),
            idle_high: false,
            write: SLOW_PHASES,
            read: SLOW_PHASES,
            select: SLOW_PHASES,
        })
    })
}

/// `bus` with the cycles that every panel takes.
fn slow(bus: PanelBus) -> PanelBus {
    match bus {
        PanelBus::Dsi | PanelBus::Dpi => bus,
        PanelBus::Parallel(bus) => PanelBus::Parallel(ParallelBus {
            write: SLOW_WRITE,
            read: SLOW_READ,
            ..bus
        }),
        PanelBus::Serial(bus) => PanelBus::Serial(SerialBus {
            write: SLOW_PHASES,
            read: SLOW_PHASES,
            select: SLOW_PHASES,
            ..bus
        }),
    }
}

/// Whether every pad of `bus` is in its mode, or an input without a function.
pub fn is_free(bus: PanelBus, entry: &dyn PinState) -> bool {
    pads(bus).iter().all(|pad| {
        let mode = entry.mode(pad.pin);
        mode == Some(pad.mode) || mode == Some(0) && !entry.is_output(pad.pin)
    })
}

/// Pins as they were at entry, but for the pads of a bus, which have their
/// functions: nobody else may be asked at them.
pub struct Reserved<'a> {
    /// Pins as they were.
    pub entry: &'a dyn PinState,
    /// The pads.
    pub pads: &'a [PinMode],
}

impl PinState for Reserved<'_> {
    fn mode(&self, pin: u8) -> Option<u8> {
        let pad = self.pads.iter().find(|pad| pad.pin == pin);
        pad.map_or_else(|| self.entry.mode(pin), |pad| Some(pad.mode))
    }

    fn is_output(&self, pin: u8) -> bool {
        self.pads.iter().all(|pad| pad.pin != pin) && self.entry.is_output(pin)
    }
}

/// Where to ask, in order; a bus of the LCD controller with cycles that every
/// panel takes.
///
/// `known` are the connections of the panels that something stronger than an ID
/// speaks for, or of those of the board. Empty where these are panels that
/// cannot be asked anything.
pub fn links_to_ask(
    mut known: impl Iterator<Item = PanelBus> + Clone,
    entry: &dyn PinState,
) -> Vec<PanelBus, 2> {
    let mut links = Vec::new();
    let unknown = known.clone().next().is_none();
    if !unknown && known.clone().all(|bus| bus == PanelBus::Dpi) {
        return links;
    }
    let named = known.find(|bus| bus.is_dbi());
    let named = named.filter(|&bus| is_free(bus, entry)).map(slow);
    let first = named.is_some() || unknown;
    let dbi = named.or_else(|| bus_at_entry(entry));
    let order = if first {
        [dbi, Some(PanelBus::Dsi)]
    } else {
        [Some(PanelBus::Dsi), dbi]
    };
    // As many as there is room for.
    links.extend(order.into_iter().flatten());
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Modes of pins, all others inputs; outputs.
    #[derive(Default)]
    struct Pins(BTreeMap<u8, u8>, std::vec::Vec<u8>);

    impl PinState for Pins {
        fn mode(&self, pin: u8) -> Option<u8> {
            Some(self.0.get(&pin).copied().unwrap_or(0))
        }
        fn is_output(&self, pin: u8) -> bool {
            self.1.contains(&pin)
        }
    }

    fn set(pads: &[PinMode]) -> Pins {
        let modes = pads.iter().map(|pad| (pad.pin, pad.mode));
        Pins(modes.collect(), std::vec::Vec::new())
    }

    fn parallel(width: u8) -> PanelBus {
        PanelBus::Parallel(ParallelBus {
            width,
            access: 16,
            wide: false,
            pad_high: true,
            low_first: false,
            write: SLOW_WRITE,
            read: SLOW_READ,
        })
    }

    const SERIAL: PanelBus = PanelBus::Serial(SerialBus {
        three_wire: false,
        own_output: false,
        idle_high: true,
        write: [1, 1],
        read: [2, 2],
        select: [3, 3],
    });

    fn ask(known: &[PanelBus], entry: &Pins) -> std::vec::Vec<PanelBus> {
        links_to_ask(known.iter().copied(), entry).to_vec()
    }

    #[test]
    fn a_usual_phone_is_asked_over_dsi_alone() {
        assert_eq!(ask(&[], &Pins::default()), [PanelBus::Dsi]);
        assert_eq!(ask(&[PanelBus::Dsi], &Pins::default()), [PanelBus::Dsi]);
        // A touch chip's reset and interrupt are on pads of both buses.
        let touch = Pins([(57, 0), (129, 2), (60, 1)].into(), [57].into());
        assert_eq!(ask(&[], &touch), [PanelBus::Dsi]);
    }

    #[test]
    fn a_bus_that_the_preloader_has_connected_is_asked_first() {
        for width in [8, 9, 16, 18] {
            let links = ask(&[], &set(&pads(parallel(width))));
            let [PanelBus::Parallel(bus), PanelBus::Dsi] = links[..] else {
                panic!("{links:?}");
            };
            assert_eq!((bus.width, bus.read), (width, SLOW_READ));
        }
        let links = ask(&[], &set(&pads(SERIAL)));
        let [PanelBus::Serial(bus), PanelBus::Dsi] = links[..] else {
            panic!("{links:?}");
        };
        assert!(!bus.three_wire && !bus.own_output);
        // Seven data lines are somebody else's.
        let mut pins = set(&pads(parallel(8)));
        pins.0.insert(21, 3);
        assert_eq!(ask(&[], &pins), [PanelBus::Dsi]);
    }

    #[test]
    fn a_panel_that_is_named_gets_its_pads_if_nobody_has_them() {
        let links = ask(&[parallel(18)], &Pins::default());
        assert_eq!(links, [parallel(18), PanelBus::Dsi]);
        let links = ask(&[SERIAL], &Pins::default());
        assert_eq!(links, [slow(SERIAL), PanelBus::Dsi]);
        for taken in [
            Pins([(30, 2)].into(), std::vec::Vec::new()),
            Pins(BTreeMap::new(), [20].into()),
        ] {
            assert_eq!(ask(&[parallel(18)], &taken), [PanelBus::Dsi]);
        }
        // Another connection is asked all the same, but later.
        let connected = set(&pads(parallel(8)));
        let links = ask(&[PanelBus::Dsi], &connected);
        assert_eq!(links[0], PanelBus::Dsi);
        assert!(matches!(links[1], PanelBus::Parallel(_)));
    }

    #[test]
    fn nobody_else_is_asked_at_its_pads() {
        let entry = Pins([(57, 0), (106, 1)].into(), [57, 58].into());
        let pads = pads(parallel(8));
        let reserved = Reserved {
            entry: &entry,
            pads: &pads,
        };
        assert_eq!(
            (reserved.mode(57), reserved.is_output(57)),
            (Some(2), false)
        );
        assert_eq!(reserved.mode(14), Some(1));
        assert_eq!(reserved.mode(106), Some(1));
    }

    #[test]
    fn a_dpi_panel_is_asked_nothing() {
        assert_eq!(ask(&[PanelBus::Dpi], &Pins::default()), []);
        assert_eq!(
            ask(&[PanelBus::Dsi, PanelBus::Dpi], &Pins::default()),
            [PanelBus::Dsi]
        );
    }
}
