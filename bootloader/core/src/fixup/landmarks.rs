//! The nodes that the parts hang on, found in one walk of the tree: trees are
//! long, and walking them is what takes time.
//!
//! Blocks are known by their address, because every port gives them other
//! `compatible` strings. Source: facts/soc.md 1.2, facts/display.md 0,
//! facts/i2c-touch-camera.md 1.1.

use heapless::Vec;
use unilk_board_db::Rail;

use super::display;
use super::value::Value;
use super::{Fixup, FixupError};
use crate::fdt::{Fdt, Node, Property};

/// The DSI host.
pub(super) const DSI_BASE: u32 = 0x1400_C000;
/// The two I2C controllers.
pub(super) const I2C_BASES: [u32; 2] = [0x1100_9000, 0x1100_A000];
/// Pin controllers start at the GPIO block or, as the newest port names its
/// node, at the external interrupts.
const GPIO_BASES: [u32; 2] = [0x1000_5000, 0x1000_B000];

const RAILS: usize = 9;
/// Most nodes that get a phandle.
const MAX_NEW_PHANDLES: usize = 12;
/// Most `simple-framebuffer` nodes that are looked after.
const MAX_FRAMES: usize = 4;
/// Greatest phandle; the specification keeps 0xFFFFFFFF for itself.
const MAX_PHANDLE: u32 = 0xFFFF_FFFE;

/// What the walk found.
#[derive(Default)]
pub(super) struct Landmarks<'t> {
    pub(super) dsi: Option<Node<'t>>,
    pub(super) i2c: [Option<Node<'t>>; 2],
    /// Pins, if they can be named in two cells.
    pub(super) gpio: Option<Node<'t>>,
    /// Where devices stand.
    pub(super) soc: Option<Node<'t>>,
    pub(super) frames: Vec<Node<'t>, MAX_FRAMES>,
    regulators: [Option<Node<'t>>; RAILS],
    max_phandle: u32,
    given: Vec<(Node<'t>, u32), MAX_NEW_PHANDLES>,
}

impl<'t> Landmarks<'t> {
    pub(super) fn find(tree: &'t Fdt<'t>) -> Self {
        let mut found = Self::default();
        for (depth, node) in tree.nodes() {
            found.look_at(depth, node);
        }
        found
    }

    fn look_at(&mut self, depth: usize, node: Node<'t>) {
        let mut base = 0;
        let mut controls_pins = false;
        let mut has_compatible = false;
        for property in node.properties() {
            match property.name() {
                b"reg" => base = first_address(property),
                b"compatible" => has_compatible = true,
                b"phandle" | b"linux,phandle" => {
                    let value = property.as_u32().unwrap_or(0);
                    self.max_phandle = self.max_phandle.max(value);
                }
                b"#gpio-cells" => controls_pins = property.as_u32() == Some(2),
                b"regulator-name" => {
                    if let Some(slot) = property
                        .as_string()
                        .and_then(rail_of)
                        .and_then(|rail| self.regulators.get_mut(rail as usize))
                    {
                        slot.get_or_insert(node);
                    }
                }
                _ => {}
            }
        }
        if !has_compatible {
            return;
        }
        let slot = match base {
            DSI_BASE => &mut self.dsi,
            _ if base == I2C_BASES[0] => &mut self.i2c[0],
            _ if base == I2C_BASES[1] => &mut self.i2c[1],
            _ if GPIO_BASES.contains(&base) && controls_pins => &mut self.gpio,
            _ if depth == 1 && node.is_compatible(b"simple-bus") => &mut self.soc,
            _ => {
                if display::is_frame(&node) {
                    // More of them than that: the rest stay as they are.
                    let _ = self.frames.push(node);
                }
                return;
            }
        };
        slot.get_or_insert(node);
    }
}

/// The first address of a `reg`, whether it has one cell or two.
fn first_address(reg: Property<'_>) -> u32 {
    let mut cells = reg.cells();
    match (cells.next(), cells.next()) {
        (Some(0), Some(low)) => low,
        (Some(first), _) => first,
        (None, _) => 0,
    }
}

/// The output that a `regulator-name` stands for: `vcam_io`, `vcamio` and
/// `VCAM-IO` are the same.
fn rail_of(name: &[u8]) -> Option<Rail> {
    const NAMES: [(&[u8], Rail); RAILS] = [
        (b"vgp1", Rail::Vgp1),
        (b"vgp2", Rail::Vgp2),
        (b"vgp3", Rail::Vgp3),
        (b"vio18", Rail::Vio18),
        (b"vio28", Rail::Vio28),
        (b"vcama", Rail::Vcama),
        (b"vcamd", Rail::Vcamd),
        (b"vcamio", Rail::VcamIo),
        (b"vcamaf", Rail::VcamAf),
    ];
    NAMES.into_iter().find_map(|(known, rail)| {
        name.iter()
            .filter(|byte| byte.is_ascii_alphanumeric())
            .map(u8::to_ascii_lowercase)
            .eq(known.iter().copied())
            .then_some(rail)
    })
}

impl<'t> Fixup<'t, '_, '_> {
    /// The phandle of a node, which gets one if it has none. `None` if the
    /// tree has used them up.
    pub(super) fn phandle_of(
        &mut self,
        landmarks: &mut Landmarks<'t>,
        node: Node<'t>,
    ) -> Result<Option<u32>, FixupError> {
        let own = [&b"phandle"[..], b"linux,phandle"]
            .into_iter()
            .find_map(|name| node.property(name)?.as_u32());
        if let Some(phandle) = own.filter(|phandle| (1..=MAX_PHANDLE).contains(phandle)) {
            return Ok(Some(phandle));
        }
        let given = landmarks.given.iter().find(|(other, _)| *other == node);
        if let Some(&(_, phandle)) = given {
            return Ok(Some(phandle));
        }
        if landmarks.max_phandle >= MAX_PHANDLE || landmarks.given.is_full() {
            return Ok(None);
        }
        landmarks.max_phandle += 1;
        let phandle = landmarks.max_phandle;
        let _ = landmarks.given.push((node, phandle));
        self.set(node, "phandle", &Value::cell(phandle))?;
        Ok(Some(phandle))
    }

    /// The phandle of the regulator of an output, if the tree has it.
    pub(super) fn regulator(
        &mut self,
        landmarks: &mut Landmarks<'t>,
        rail: Rail,
    ) -> Result<Option<u32>, FixupError> {
        match landmarks.regulators.get(rail as usize).copied().flatten() {
            Some(node) => self.phandle_of(landmarks, node),
            None => Ok(None),
        }
    }
}
