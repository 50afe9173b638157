//! What is on the panel once it is lit: pages of a framebuffer, drawn on and
//! shown in turn.
//!
//! Source: facts/display.md 1.7 (where the framebuffer lies), 9.1 (the hand-over).

use mt6572_hal::cache;
use mt6572_hal::display::dbi::Pixels;
use mt6572_hal::display::{Format, Picture};
use unilk_core::bootarg::Dram;
use unilk_core::memory::FRAMEBUFFER_RESERVE;
use unilk_core::screen::logo::WINDOW_BYTES;
use unilk_core::screen::pages::{
    self, BootPage, ErrorPage, Shown as ShownLogo, UsbPage, VerdictRow,
};
use unilk_core::screen::wizard::{self, WizardPage};
use unilk_core::screen::{Canvas, FramebufferLayout, Rectangle};

use super::{Parts, with};
use crate::log::say;

/// What is on the screen.
#[derive(Clone, Copy)]
pub enum Page<'a> {
    /// Logo and a line.
    Boot,
    /// One candidate of several.
    Candidate(WizardPage<'a>),
    /// Why there is no kernel.
    Error(ErrorPage<'a>),
    /// The phone waits for a computer.
    Usb(UsbPage<'a>),
    /// What was identified.
    Verdicts(&'a [VerdictRow<'a>]),
}

/// A picture on a panel.
#[derive(Clone, Copy)]
pub struct Shown {
    /// Row of the table.
    pub row: u16,
    /// The framebuffer.
    pub layout: FramebufferLayout,
    /// Which of its pages is shown.
    pub page: usize,
    /// Frames run by themselves.
    pub video: bool,
    /// Or go out over a bus of the LCD controller, one at a time.
    pub bus: Option<Pixels>,
}

impl Shown {
    /// First byte of the page that is shown.
    pub const fn address(&self) -> u32 {
        self.layout.pages[self.page]
    }
}

/// The phone's own logo in memory: the packed picture, and room to unpack it
/// through.
#[derive(Clone, Copy)]
pub struct Logo {
    start: u32,
    len: u32,
}

impl Logo {
    /// Bytes that a logo may have, packed.
    const LARGEST: u32 = 2 << 20;

    /// Room for a packed logo of `len` bytes: at the far end of what is kept
    /// free for the picture, where only panels too large for this chip reach.
    pub fn place(dram: &Dram, len: u32) -> Option<Self> {
        let start = dram.end().checked_sub(FRAMEBUFFER_RESERVE)?;
        (len <= Self::LARGEST).then_some(Self { start, len })
    }

    fn end(self) -> u32 {
        self.start + Self::LARGEST + WINDOW_BYTES as u32
    }

    fn is_below(&self, layout: &FramebufferLayout) -> bool {
        self.end() <= layout.base
    }

    /// The memory for the packed bytes.
    pub fn packed(self) -> &'static mut [u8] {
        // SAFETY: kept out of every plan of memory; used by one at a time: the
        // card fills it, then pages are drawn from it.
        unsafe { core::slice::from_raw_parts_mut(self.start as *mut u8, self.len as usize) }
    }

    fn lend(self) -> (&'static [u8], &'static mut [u8; WINDOW_BYTES]) {
        let packed: &[u8] = self.packed();
        let window = (self.start + Self::LARGEST) as *mut [u8; WINDOW_BYTES];
        // SAFETY: as above, behind the packed bytes.
        (packed, unsafe { &mut *window })
    }
}

/// A page of a framebuffer, for the display path.
pub fn picture(layout: &FramebufferLayout, page: usize) -> Picture {
    Picture {
        address: layout.pages[page],
        width: layout.width,
        height: layout.height,
        pitch: layout.pitch_bytes as u16,
        format: Format::Rgb565,
    }
}

/// Draws a page into the framebuffer, and out of the caches.
pub fn draw(parts: &Parts, layout: &FramebufferLayout, page: usize, what: Page<'_>) {
    let bytes = layout.page_bytes as usize;
    // SAFETY: the layout's pages lie at the end of DRAM, which is mapped and
    // kept out of every plan of memory, and are drawn on by nobody else.
    let pixels = unsafe {
        core::slice::from_raw_parts_mut(layout.pages[page] as *mut u16, bytes / size_of::<u16>())
    };
    let start = pixels.as_ptr().cast::<u8>();
    if let Some(mut canvas) = Canvas::new(pixels, layout.width, layout.height, layout.pitch()) {
        match what {
            Page::Boot => {
                let page = BootPage {
                    version: parts.version,
                    line: parts.line.get(),
                };
                let logo = parts.logo.get().filter(|logo| logo.is_below(layout));
                let picture = logo.map(|logo| logo.lend());
                if let ShownLogo::Own(Some(error)) = pages::boot(&mut canvas, &page, picture) {
                    Parts::note("LOGO", &error);
                    parts.logo.set(None);
                }
            }
            Page::Candidate(page) => wizard::wizard(&mut canvas, &page),
            Page::Error(page) => {
                let area = pages::error(&mut canvas, &page);
                show_log(&mut canvas, area);
            }
            Page::Usb(page) => {
                let area = pages::usb(&mut canvas, &page);
                show_log(&mut canvas, area);
            }
            Page::Verdicts(rows) => {
                pages::verdicts(&mut canvas, parts.version, rows);
            }
        }
    }
    cache::clean(start, bytes);
}

/// The last lines of the log, below what a page says.
fn show_log(canvas: &mut Canvas<'_>, area: Rectangle) {
    let mut console = pages::console(canvas, area);
    crate::log::recent(|line| {
        console.write(canvas, line);
        console.write(canvas, "\n");
    });
}

impl Parts {
    /// What is shown, if a panel is lit.
    pub fn shown(&self) -> Option<Shown> {
        self.shown.get()
    }

    /// Shows another page, from the next frame on.
    pub fn show(&self, page: Page<'_>) {
        let Some(mut shown) = self.shown() else {
            return;
        };
        let next = 1 - shown.page;
        draw(self, &shown.layout, next, page);
        self.flip(&mut shown, next);
    }

    /// Shows the frame on `page` from the next frame on, and does not wait for
    /// it: what is drawn on next is the other page, which is on the glass
    /// until then, so draw no sooner than a frame later.
    fn flip(&self, shown: &mut Shown, page: usize) {
        let done = with(self, |hardware| {
            let hal = &mut hardware.hal;
            let address = shown.layout.pages[page];
            if shown.video {
                hal.display
                    .start_flip(address)
                    .map_err(|error| error.code())
            } else if let Some(pixels) = shown.bus {
                hal.display
                    .start_flip(address)
                    .map_err(|error| error.code())?;
                let size = (shown.layout.width, shown.layout.height);
                hal.dbi.frame(pixels, size).map_err(|error| error.code())
            } else {
                hal.display
                    .start_flip(address)
                    .map_err(|error| error.code())?;
                hal.dsi.frame().map_err(|error| error.code())
            }
        });
        match done {
            Ok(()) => {
                shown.page = page;
                self.shown.set(Some(*shown));
            }
            Err(code) => say!("{code} the screen does not change"),
        }
    }

    /// Leaves the picture where the kernel looks for it: on the first page of
    /// the framebuffer at `layout`, which may begin lower than ours.
    pub fn hand_over(&self, layout: &FramebufferLayout) {
        let Some(mut shown) = self.shown() else {
            return;
        };
        let from = shown.layout.pages[shown.page];
        let to = layout.pages[0];
        if from == to {
            return;
        }
        let bytes = shown.layout.page_bytes as usize;
        // SAFETY: both lie in the memory behind every plan; a copy that
        // overlaps is what this function is for.
        unsafe { core::ptr::copy(from as *const u8, to as *mut u8, bytes) };
        cache::clean(to as *const u8, bytes);
        shown.layout = *layout;
        self.flip(&mut shown, 0);
    }

    /// Frames a second times 100, of video that runs.
    pub fn fps_x100(&self) -> Option<u32> {
        let shown = self.shown().filter(|shown| shown.video)?;
        self.table.panels.get(usize::from(shown.row))?.fps_x100()
    }
}
