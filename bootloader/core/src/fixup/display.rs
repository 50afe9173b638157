//! `/chosen`: the picture that is on, as `simple-framebuffer`, and the
//! evidence of the identification under `/chosen/unilk`.
//!
//! Linux makes a device of the first `simple-framebuffer` below `/chosen`; its
//! `reg` is translated like any other, so `/chosen` needs cells and `ranges`.
//! `memory-region` is left out on purpose: drivers that honour it take the
//! start of the region for the picture, and ours need not be there. So are
//! clocks and power domains, which only the tree's own node can name.
//!
//! Source: Devicetree binding simple-framebuffer; facts/display.md 1.7,
//! facts/storage-and-images.md 6.4.

use super::value::{Properties, Value};
use super::{Fitted, Fixup, FixupError, Region, ReservedRegion, Warning, check_fits};
use crate::fdt::{Cells, FdtError, Fragment, Node};

const COMPATIBLE: &[u8] = b"simple-framebuffer";

/// Node of the evidence.
const EVIDENCE: &[u8] = b"unilk";

/// Longest report that goes into a tree, in bytes.
pub const MAX_REPORT_BYTES: usize = 8192;

/// The frame that the panel shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Display {
    /// All of the framebuffer: reserved, not to be mapped.
    pub framebuffer: Region,
    /// First byte of the page that is shown.
    pub visible: u64,
    /// Pixels.
    pub width: u32,
    /// Lines.
    pub height: u32,
    /// Bytes from one line to the next.
    pub stride: u32,
}

impl Display {
    /// What the kernel must keep its hands off.
    pub(super) const fn reserved(&self) -> ReservedRegion<'static> {
        ReservedRegion {
            name: "framebuffer",
            region: self.framebuffer,
            no_map: true,
        }
    }

    /// The page that is shown.
    const fn page(&self) -> Region {
        Region::new(self.visible, self.stride as u64 * self.height as u64)
    }
}

/// What was identified and how sure that is: properties of `/chosen/unilk`.
/// What is `None` or empty is not said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence<'a> {
    /// `panel`: name of the vendor's driver.
    pub panel: Option<&'a str>,
    /// `panel-id`: its row in the driver table.
    pub panel_id: Option<&'a str>,
    /// `panel-certainty`, for example `certain`.
    pub panel_certainty: Option<&'a str>,
    /// `panel-candidates`: all that fit, the best first.
    pub panel_candidates: &'a [&'a str],
    /// `touch`: name of the chip.
    pub touch: Option<&'a str>,
    /// `touch-address`, for example `i2c1/38`.
    pub touch_address: Option<&'a str>,
    /// `camera-main`: name of the sensor.
    pub camera_main: Option<&'a str>,
    /// `camera-sub`: name of the sensor.
    pub camera_sub: Option<&'a str>,
    /// `wiring`: the profile that answered.
    pub wiring: Option<&'a str>,
    /// `board`: the known board that this looks like.
    pub board: Option<&'a str>,
    /// `report`: every question and answer, in the report's own form. Left out
    /// beyond [`MAX_REPORT_BYTES`].
    pub report: &'a [u8],
}

impl<'a> Evidence<'a> {
    /// Nothing to say.
    pub const NONE: Self = Self {
        panel: None,
        panel_id: None,
        panel_certainty: None,
        panel_candidates: &[],
        touch: None,
        touch_address: None,
        camera_main: None,
        camera_sub: None,
        wiring: None,
        board: None,
        report: &[],
    };

    const fn texts(&self) -> [(&'static str, Option<&'a str>); 9] {
        [
            ("panel", self.panel),
            ("panel-id", self.panel_id),
            ("panel-certainty", self.panel_certainty),
            ("touch", self.touch),
            ("touch-address", self.touch_address),
            ("camera-main", self.camera_main),
            ("camera-sub", self.camera_sub),
            ("wiring", self.wiring),
            ("board", self.board),
        ]
    }

    fn properties(&self) -> Result<Properties<'a>, FdtError> {
        let mut list = Properties::default();
        for (name, text) in self.texts() {
            if let Some(text) = text {
                list.set(name, Value::Text(text))?;
            }
        }
        if !self.panel_candidates.is_empty() {
            list.set("panel-candidates", Value::List(self.panel_candidates))?;
        }
        if !self.report.is_empty() && self.report.len() <= MAX_REPORT_BYTES {
            list.set("report", Value::Bytes(self.report))?;
        }
        Ok(list)
    }
}

/// What goes below `/chosen`.
pub(super) struct BelowChosen<'a> {
    /// `/chosen`'s own properties that the framebuffer needs.
    bus: Properties<'a>,
    /// The framebuffer's node, and where its picture starts.
    frame: Option<(Properties<'a>, u64)>,
    evidence: Properties<'a>,
}

impl BelowChosen<'_> {
    /// Writes it into a `/chosen` that is being made.
    pub(super) fn put(&self, chosen: &mut Fragment<'_>) -> Result<(), FdtError> {
        self.bus.put(chosen)?;
        if let Some((properties, visible)) = &self.frame {
            let mut buffer = [0; 32];
            chosen.begin_node(frame_name(&mut buffer, *visible))?;
            properties.put(chosen)?;
            chosen.end_node()?;
        }
        if !self.evidence.is_empty() {
            chosen.begin_node(EVIDENCE)?;
            self.evidence.put(chosen)?;
            chosen.end_node()?;
        }
        Ok(())
    }
}

fn frame_name(buffer: &mut [u8], visible: u64) -> &[u8] {
    super::reserved::node_name(buffer, "framebuffer", visible)
}

impl<'t, 'h> Fixup<'t, '_, 'h> {
    /// Puts together what goes below `/chosen`.
    pub(super) fn below_chosen(&mut self) -> Result<BelowChosen<'h>, FixupError> {
        let found = &self.hand_off.found;
        let length = found.evidence.report.len();
        if length > MAX_REPORT_BYTES {
            self.warnings.push(Warning::ReportTooLong { length });
        }
        let mut bus = Properties::default();
        let mut frame = None;
        if let Fitted::Part(display) = &found.display {
            let page = display.page();
            let cells = self.root_cells;
            check_fits(page, cells)?;
            bus.set("#address-cells", Value::cell(cells.address as u32))?;
            bus.set("#size-cells", Value::cell(cells.size as u32))?;
            bus.set("ranges", Value::Bytes(&[]))?;
            frame = Some((properties(display, cells)?, page.base));
        }
        Ok(BelowChosen {
            bus,
            frame,
            evidence: found.evidence.properties()?,
        })
    }

    /// Puts it below a `/chosen` that exists.
    pub(super) fn apply_below_chosen(
        &mut self,
        chosen: Node<'t>,
        below: &BelowChosen<'_>,
    ) -> Result<(), FixupError> {
        self.apply(chosen, &below.bus)?;
        if let Some((properties, visible)) = &below.frame {
            let mut buffer = [0; 32];
            let name = frame_name(&mut buffer, *visible);
            // Linux takes the first, whatever its name.
            let node = chosen
                .children()
                .find(|node| node.is_compatible(COMPATIBLE))
                .or_else(|| chosen.children().find(|node| node.name() == name));
            if let Some(node) = node {
                self.apply(node, properties)?;
                self.editor.delete_property(node, b"memory-region")?;
                self.shown = Some(node);
            } else {
                self.editor
                    .add_node(chosen, name, &|node| properties.put(node))?;
            }
        }
        let old = chosen.children().find(|node| node.name() == EVIDENCE);
        if let Some(node) = old {
            self.apply(node, &below.evidence)?;
            let texts = self.hand_off.found.evidence.texts().map(|(name, _)| name);
            for name in texts.into_iter().chain(["panel-candidates", "report"]) {
                if !below.evidence.has(name) {
                    self.editor.delete_property(node, name.as_bytes())?;
                }
            }
        } else if !below.evidence.is_empty() {
            self.editor
                .add_node(chosen, EVIDENCE, &|node| below.evidence.put(node))?;
        }
        Ok(())
    }

    /// Switches off what the tree claims about pictures that nobody shows.
    pub(super) fn stale_frames(&mut self, frames: &[Node<'t>]) -> Result<(), FixupError> {
        if matches!(self.hand_off.found.display, Fitted::Unknown) {
            return Ok(());
        }
        for &frame in frames {
            if self.shown != Some(frame) {
                self.disable(frame)?;
            }
        }
        Ok(())
    }
}

/// Whether this node claims that a picture is on.
pub(super) fn is_frame(node: &Node<'_>) -> bool {
    node.is_compatible(COMPATIBLE)
}

fn properties(display: &Display, cells: Cells) -> Result<Properties<'static>, FdtError> {
    let page = display.page();
    let mut reg: heapless::Vec<u32, 4> = heapless::Vec::new();
    for (number, cells) in [(page.base, cells.address), (page.size, cells.size)] {
        // Four cells at most, as many as the vector holds.
        if cells == 2 {
            let _ = reg.push((number >> 32) as u32);
        }
        let _ = reg.push(number as u32);
    }
    let mut list = Properties::default();
    list.set("compatible", Value::Text("simple-framebuffer"))?;
    list.set("reg", Value::Cells(reg))?;
    list.set("width", Value::cell(display.width))?;
    list.set("height", Value::cell(display.height))?;
    list.set("stride", Value::cell(display.stride))?;
    list.set("format", Value::Text("r5g6b5"))?;
    list.set("status", Value::Text("okay"))?;
    Ok(list)
}
