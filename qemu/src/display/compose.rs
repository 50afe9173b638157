//! The picture that the path makes: OVL's layers, or RDMA's own memory.
//!
//! Source: facts/display.md 1.3, 1.5, 1.6, 2.1 to 2.4 and 9.3.

use super::path::{Layer, Module, Path};
use super::pixels::{Format, Pixel, Reader};
use crate::bus::Memory;

/// A picture: three bytes a pixel (red, green, blue), row by row from the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels a line.
    pub width: usize,
    /// Lines.
    pub height: usize,
    /// `width * height * 3` bytes.
    pub rgb: Vec<u8>,
}

/// What came of [`compose`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Composition {
    /// The picture at the end of the path; `None`: nothing arrives there, and
    /// the first problem says why.
    pub picture: Option<Picture>,
    /// What is wrong with the set-up, a sentence each.
    pub problems: Vec<String>,
}

/// Gates of MMSYS CG0 that fetching from memory needs.
const SMI_GATES: u32 = 0b11;
const COLOR_GATE: u32 = 1 << 4;
const BLS_GATE: u32 = 1 << 5;
const RDMA_GATE: u32 = 1 << 7;
const OVL_GATE: u32 = 1 << 8;

const OVL_TO_RDMA: u32 = 1 << 0;
const OVL_TO_COLOR: u32 = 1 << 2;

const RDMA_ENGINE: u32 = 1;
const RDMA_FROM_MEMORY: u32 = 1 << 1;
const RDMA_SOFT_RESET: u32 = 1 << 4;

/// Who scans the picture out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// The DSI host.
    Dsi,
    /// The LCD controller, whose frames are single ones.
    Dbi,
}

/// DISP_OUT_SEL.
const OUT_DSI: u32 = 0;
const OUT_DBI: u32 = 2;

/// The chain of modules that ends at the sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chain {
    ovl: bool,
    rdma: bool,
    /// COLOR, and BLS behind it.
    color: bool,
}

/// The picture that reaches `sink`, whole and at once.
pub fn compose(path: &Path, sink: Sink, memory: &mut dyn Memory) -> Composition {
    let mut problems = Vec::new();
    let picture = match follow(path, sink) {
        Ok((chain, size)) if chain.ovl => Some(overlay(path, size, memory, &mut problems)),
        Ok((_, size)) => from_memory(path, size, memory, &mut problems),
        Err(reason) => {
            problems.push(reason);
            None
        }
    };
    Composition { picture, problems }
}

/// What the sink is connected to and the size that all on the way agree on, or
/// why nothing arrives.
fn follow(path: &Path, sink: Sink) -> Result<(Chain, (usize, usize)), String> {
    let chain = chain(path, sink)?;
    check_clocks(path, chain)?;
    check_mutex(path, sink, chain)?;
    Ok((chain, size(path, chain)?))
}

fn chain(path: &Path, sink: Sink) -> Result<Chain, String> {
    let routing = &path.routing;
    let color = routing.dsi_in == 0 || sink == Sink::Dbi;
    match sink {
        Sink::Dsi if color && routing.disp_out != OUT_DSI => {
            return Err("BLS is routed to DPI or DBI (DISP_OUT_SEL), not to DSI".into());
        }
        Sink::Dbi if routing.disp_out != OUT_DBI => {
            return Err("BLS is routed to DSI or DPI (DISP_OUT_SEL), not to DBI".into());
        }
        _ => {}
    }
    if color && routing.color_in != 0 {
        if routing.ovl_mout & OVL_TO_COLOR == 0 {
            return Err("COLOR takes from OVL, which is not routed to it (OVL_MOUT_EN)".into());
        }
        return Ok(Chain {
            ovl: true,
            rdma: false,
            color,
        });
    }
    if color && routing.rdma_out != 0 {
        return Err("RDMA is not routed to COLOR (RDMA0_OUT_SEL)".into());
    }
    if !color && routing.rdma_out == 0 {
        return Err("DSI takes from RDMA, which is routed to COLOR (RDMA0_OUT_SEL)".into());
    }
    if path.rdma.con & RDMA_ENGINE == 0 {
        return Err("RDMA is off (GLOBAL_CON)".into());
    }
    if path.rdma.con & RDMA_SOFT_RESET != 0 {
        return Err("RDMA is held in reset (GLOBAL_CON)".into());
    }
    let ovl = path.rdma.con & RDMA_FROM_MEMORY == 0;
    if ovl && routing.ovl_mout & OVL_TO_RDMA == 0 {
        return Err("OVL is not routed to RDMA (OVL_MOUT_EN)".into());
    }
    Ok(Chain {
        ovl,
        rdma: true,
        color,
    })
}

fn check_clocks(path: &Path, chain: Chain) -> Result<(), String> {
    for (needed, gates, name) in [
        (true, SMI_GATES, "SMI"),
        (chain.ovl, OVL_GATE, "OVL"),
        (chain.rdma, RDMA_GATE, "RDMA"),
        (chain.color, COLOR_GATE, "COLOR"),
        (chain.color, BLS_GATE, "BLS"),
    ] {
        if needed && path.gated & gates != 0 {
            return Err(format!("the clock of {name} is gated (MMSYS CG0)"));
        }
    }
    if chain.ovl && !path.ovl.enabled {
        return Err("OVL is off (EN)".into());
    }
    if chain.color && !path.color.started {
        return Err("COLOR is not started".into());
    }
    Ok(())
}

/// A mutex must start the modules. BLS may have one of its own, and older
/// loaders start RDMA alone when it reads memory (facts/display.md 1.6).
fn check_mutex(path: &Path, sink: Sink, chain: Chain) -> Result<(), String> {
    let mut needed = 0;
    if chain.ovl {
        needed |= Module::Ovl.mask();
        if chain.color {
            needed |= Module::Color.mask();
        }
    }
    if chain.rdma {
        needed |= Module::Rdma.mask();
    }
    let mutex = path
        .mutexes
        .iter()
        .find(|mutex| mutex.enabled && mutex.modules & needed == needed)
        .ok_or_else(|| format!("no mutex that is enabled has these modules: MOD {needed:#x}"))?;
    let fits = match path.streaming {
        _ if sink == Sink::Dbi => mutex.source == 0,
        Some(video) => mutex.source == u32::from(video),
        None => mutex.source <= 1,
    };
    if fits {
        Ok(())
    } else {
        Err(format!(
            "the mutex waits for another source of frames: SOF {}",
            mutex.source
        ))
    }
}

fn size(path: &Path, chain: Chain) -> Result<(usize, usize), String> {
    let of_word = |word: u32| (word & 0xfff, word >> 16 & 0xfff);
    let mut sizes = Vec::new();
    if chain.ovl {
        sizes.push(("OVL", of_word(path.ovl.roi)));
    }
    if chain.rdma {
        let lines = path.rdma.size1 & 0xf_ffff;
        sizes.push(("RDMA", (path.rdma.size0 & 0xfff, lines)));
    }
    if chain.color {
        sizes.push(("COLOR", (path.color.width, path.color.height)));
        if path.bls.processes {
            sizes.push(("BLS", of_word(path.bls.size)));
        }
    }
    let (first, (width, height)) = sizes[0];
    if width == 0 || height == 0 {
        return Err(format!("{first} has no size: {width}x{height}"));
    }
    for &(name, (other_width, other_height)) in &sizes[1..] {
        if (other_width, other_height) != (width, height) {
            return Err(format!(
                "{first} is set to {width}x{height}, {name} to {other_width}x{other_height}"
            ));
        }
    }
    Ok((width as usize, height as usize))
}

/// RDMA's memory mode.
fn from_memory(
    path: &Path,
    (width, height): (usize, usize),
    memory: &mut dyn Memory,
    problems: &mut Vec<String>,
) -> Option<Picture> {
    let code = path.rdma.mem_con >> 4 & 0x1f;
    let Some(format) = Format::of_rdma(code) else {
        problems.push(format!("RDMA reads format {code}, which does not exist"));
        return None;
    };
    if path.rdma.mem_con & 1 != 0 {
        problems.push("RDMA reads tiles, whose layout is not known".into());
        return None;
    }
    let lines = Lines {
        name: "RDMA",
        addr: path.rdma.addr,
        pitch: path.rdma.pitch & 0xffff,
        width,
        reader: Reader {
            format,
            byte_swap: path.rdma.size0 >> 30 & 1 != 0,
            rgb_swap: path.rdma.size0 >> 31 != 0,
        },
        mirrored: false,
        upside_down: false,
    };
    lines.check_pitch(problems);
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        match lines.read(y, memory) {
            Ok(line) => rgb.extend(
                line.iter()
                    .flat_map(|&[red, green, blue, _]| [red, green, blue]),
            ),
            Err(problem) => {
                problems.push(problem);
                break;
            }
        }
    }
    rgb.resize(width * height * 3, 0);
    Some(Picture { width, height, rgb })
}

/// OVL's layers over its background.
fn overlay(
    path: &Path,
    (width, height): (usize, usize),
    memory: &mut dyn Memory,
    problems: &mut Vec<String>,
) -> Picture {
    let [blue, green, red, _] = path.ovl.background.to_le_bytes();
    let mut picture = Picture {
        width,
        height,
        rgb: [red, green, blue].repeat(width * height),
    };
    for (index, layer) in path.ovl.layers.iter().enumerate() {
        if path.ovl.shown >> index & 1 != 0
            && let Err(problem) = paint(index, layer, &mut picture, memory, problems)
        {
            problems.push(problem);
        }
    }
    picture
}

/// Names of the layers in reports.
const LAYERS: [&str; 4] = ["layer 0", "layer 1", "layer 2", "layer 3"];

fn paint(
    index: usize,
    layer: &Layer,
    picture: &mut Picture,
    memory: &mut dyn Memory,
    problems: &mut Vec<String>,
) -> Result<(), String> {
    let name = LAYERS[index & 3];
    if !layer.reads {
        return Err(format!(
            "{name} is shown, but its reader is off (RDMAn_CTRL)"
        ));
    }
    if layer.con >> 28 & 3 != 0 {
        return Err(format!(
            "{name} does not take its pixels from memory (Ln_CON)"
        ));
    }
    let code = layer.con >> 12 & 0xf;
    let format = Format::of_ovl(code)
        .ok_or_else(|| format!("{name} has format {code}, which does not exist"))?;
    let halves = |word: u32| ((word & 0xfff) as usize, (word >> 16 & 0xfff) as usize);
    let (width, height) = halves(layer.size);
    let (left, top) = halves(layer.offset);
    if width == 0 || height == 0 {
        return Err(format!("{name} has no size"));
    }
    if left + width > picture.width || top + height > picture.height {
        problems.push(format!(
            "{name}, {width}x{height} at {left},{top}, reaches out of the ROI of {}x{}",
            picture.width, picture.height
        ));
    }
    let lines = Lines {
        name,
        addr: layer.addr,
        pitch: layer.pitch & 0xffff,
        width,
        reader: Reader {
            format,
            byte_swap: layer.con >> 24 & 1 != 0,
            rgb_swap: layer.con >> 25 & 1 != 0,
        },
        mirrored: layer.con >> 10 & 1 != 0,
        upside_down: layer.con >> 9 & 1 != 0,
    };
    lines.check_pitch(problems);
    let blend = Blend::of(layer, format);
    for y in 0..height.min(picture.height.saturating_sub(top)) {
        let line = lines.read(y, memory)?;
        let row = (top + y) * picture.width * 3;
        let under = picture.rgb[row..row + picture.width * 3].chunks_exact_mut(3);
        for (under, pixel) in under.skip(left).zip(line) {
            blend.put(under, pixel);
        }
    }
    Ok(())
}

/// How a layer's pixels cover what is under them.
struct Blend {
    key: Option<[u8; 3]>,
    alpha: u32,
    by_pixel: bool,
    multiplied: bool,
}

impl Blend {
    fn of(layer: &Layer, format: Format) -> Blend {
        let enabled = layer.con >> 8 & 1 != 0;
        let [blue, green, red, _] = layer.key.to_le_bytes();
        Blend {
            // Stock loaders make cleared RGB565 transparent with 0xFF000000,
            // so alpha does not take part.
            key: (layer.con >> 30 & 1 != 0).then_some([red, green, blue]),
            alpha: if enabled { layer.con & 0xff } else { 255 },
            by_pixel: enabled && format.has_alpha(),
            multiplied: enabled && format == Format::Pargb8888,
        }
    }

    fn put(&self, under: &mut [u8], [red, green, blue, own]: Pixel) {
        let color = [red, green, blue];
        if self.key == Some(color) {
            return;
        }
        let own = if self.by_pixel { u32::from(own) } else { 255 };
        let cover = self.alpha * own / 255;
        let weight = if self.multiplied { self.alpha } else { cover };
        for (under, color) in under.iter_mut().zip(color) {
            let sum = u32::from(color) * weight + u32::from(*under) * (255 - cover);
            *under = ((sum + 127) / 255).min(255) as u8;
        }
    }
}

/// The lines of one reader in memory.
struct Lines {
    name: &'static str,
    addr: u32,
    pitch: u32,
    width: usize,
    reader: Reader,
    /// Pixels are read towards lower addresses; the address is the last byte's.
    mirrored: bool,
    /// Lines are read towards lower addresses.
    upside_down: bool,
}

impl Lines {
    fn bytes(&self) -> usize {
        // Two pixels share their chroma.
        let pixels = match self.reader.format {
            Format::Yuyv | Format::Uyvy | Format::Yvyu | Format::Vyuy => {
                self.width.next_multiple_of(2)
            }
            _ => self.width,
        };
        pixels * self.reader.format.bytes()
    }

    fn check_pitch(&self, problems: &mut Vec<String>) {
        if (self.pitch as usize) < self.bytes() {
            problems.push(format!(
                "{} has a pitch of {} bytes, less than the {} bytes of a line",
                self.name,
                self.pitch,
                self.bytes()
            ));
        }
    }

    /// Line `y` of the picture.
    fn read(&self, y: usize, memory: &mut dyn Memory) -> Result<Vec<Pixel>, String> {
        let mut bytes = vec![0; self.bytes()];
        let down = y as i64 * i64::from(self.pitch);
        let line = i64::from(self.addr) + if self.upside_down { -down } else { down };
        let start = if self.mirrored {
            line + 1 - bytes.len() as i64
        } else {
            line
        };
        let read = u32::try_from(start).is_ok_and(|start| memory.read(start, &mut bytes));
        if !read {
            return Err(format!("{} reads outside of DRAM at {start:#x}", self.name));
        }
        let mut pixels = self.reader.line(&bytes);
        if self.mirrored {
            pixels.reverse();
        }
        pixels.truncate(self.width);
        Ok(pixels)
    }
}

#[cfg(test)]
mod tests;
