//! The pages that are not the wizard's: boot, verdicts, error, USB.
//!
//! A page is plain text in a struct and one function that draws it. All sizes
//! follow from the face that suits the panel; the smallest phone shows the
//! same as the largest, in more lines.

use core::fmt::Write as _;

use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::primitives::Rectangle;
use heapless::String;

use super::canvas::Canvas;
use super::colours::{ACCENT, BOX, DIM, ERROR, GROUND, TEXT, WARN};
use super::console::Console;
use super::text::Face;
use super::{logo, mark};

/// The longest label that is put together here.
const LABEL_BYTES: usize = 64;

/// The boot page's words.
#[derive(Debug, Clone, Copy)]
pub struct BootPage<'a> {
    /// Version of the bootloader.
    pub version: &'a str,
    /// What is being started, for example `normal boot`.
    pub line: &'a str,
}

/// Which logo a boot page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Shown {
    /// The phone's.
    Phone,
    /// Ours; with the reason if the phone has one that cannot be shown.
    Own(Option<logo::LogoError>),
}

/// Draws the boot page: the phone's picture, given as its stream in the LOGO
/// partition with a window to unpack it through, or else our own.
pub fn boot(
    canvas: &mut Canvas<'_>,
    page: &BootPage<'_>,
    picture: Option<(&[u8], &mut [u8; logo::WINDOW_BYTES])>,
) -> Shown {
    let mut reason = None;
    if let Some((stream, window)) = picture {
        match logo::unpack(canvas, stream, window) {
            Ok(()) => {
                boot_line(canvas, page, None);
                return Shown::Phone;
            }
            Err(error) => reason = Some(error),
        }
    }
    canvas.wipe(GROUND);
    let (width, height) = (canvas.width(), canvas.height());
    let middle = Point::new(width as i32 / 2, height as i32 * 2 / 5);
    let place = mark::centred(middle, width.min(height) * 5 / 9);
    mark::draw(canvas, place.top_left, place.size.width, TEXT, ACCENT);
    let face = Face::for_width(width);
    let below = place.top_left.y + (place.size.height + face.cell().height) as i32;
    face.centred(canvas, (0, width as i32), below, page.version, DIM);
    boot_line(canvas, page, Some(GROUND));
    Shown::Own(reason)
}

/// The line at the bottom; `ground` of `None` keeps the picture behind it.
fn boot_line(canvas: &mut Canvas<'_>, page: &BootPage<'_>, ground: Option<Rgb565>) {
    let face = Face::for_width(canvas.width());
    let (width, height) = (canvas.width() as i32, canvas.height() as i32);
    let line = face.cell().height as i32;
    let y = height - 2 * line;
    if let Some(ground) = ground {
        let area = Rectangle::new(Point::new(0, y), Size::new(canvas.width(), line as u32));
        canvas.fill(area, ground);
    }
    face.centred(canvas, (0, width), y, page.line, DIM);
}

/// How sure a verdict is, as a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Known.
    Sure,
    /// A guess.
    Guess,
    /// Not there, or broken.
    Missing,
}

impl Tone {
    const fn colour(self) -> Rgb565 {
        match self {
            Self::Sure => ACCENT,
            Self::Guess => WARN,
            Self::Missing => ERROR,
        }
    }
}

/// The verdict on one part.
#[derive(Debug, Clone, Copy)]
pub struct VerdictRow<'a> {
    /// `Panel`, `Touch`, `Main camera`, `Sub camera`, `Board`.
    pub part: &'a str,
    /// What it is.
    pub name: &'a str,
    /// How certain that is, for example `likely, 3 more fit`.
    pub certainty: &'a str,
    /// The same as a colour.
    pub tone: Tone,
    /// What was read, for example `ID 98 06 04`; may be empty.
    pub detail: &'a str,
}

/// Draws what was identified. Returns the free area below for a console.
pub fn verdicts(canvas: &mut Canvas<'_>, version: &str, rows: &[VerdictRow<'_>]) -> Rectangle {
    let mut sheet = Sheet::new(canvas, "This phone has", ACCENT, version);
    for row in rows {
        let mut head: String<LABEL_BYTES> = String::new();
        let _ = write!(head, "{}: {}", row.part, row.certainty);
        let top = sheet.y;
        sheet.text(&head, row.tone.colour());
        sheet.text(row.name, TEXT);
        if !row.detail.is_empty() {
            sheet.text(row.detail, DIM);
        }
        sheet.bar(row.tone.colour(), top);
        sheet.gap();
    }
    sheet.rest()
}

/// A boot that cannot go on as it should.
#[derive(Debug, Clone, Copy)]
pub struct ErrorPage<'a> {
    /// Version of the bootloader.
    pub version: &'a str,
    /// Stable code.
    pub code: &'a str,
    /// What is wrong.
    pub sentence: &'a str,
    /// What to do about it; may be empty where the sentence says it.
    pub remedy: &'a str,
    /// What happens now, for example `Starting recovery instead`.
    pub next: &'a str,
}

/// Draws an error. Returns the free area below for a console.
pub fn error(canvas: &mut Canvas<'_>, page: &ErrorPage<'_>) -> Rectangle {
    let mut sheet = Sheet::new(canvas, "Problem", ERROR, page.version);
    sheet.large(page.code, ERROR);
    sheet.gap();
    for (text, ink) in [(page.sentence, TEXT), (page.remedy, WARN)] {
        if !text.is_empty() {
            sheet.text(text, ink);
            sheet.gap();
        }
    }
    if !page.next.is_empty() {
        let top = sheet.y;
        sheet.text("Next", DIM);
        sheet.text(page.next, ACCENT);
        sheet.bar(ACCENT, top);
        sheet.gap();
    }
    sheet.rest()
}

/// The phone waits for a computer.
#[derive(Debug, Clone, Copy)]
pub struct UsbPage<'a> {
    /// Version of the bootloader.
    pub version: &'a str,
    /// `Fastboot` and the like.
    pub title: &'a str,
    /// Serial number as the computer shows it; may be empty.
    pub serial: &'a str,
    /// `Cable is not connected`, `Receiving boot.img`, ...
    pub state: &'a str,
    /// Keys and what they do, a line each.
    pub keys: &'a [&'a str],
}

/// Draws the USB page. Returns the free area below for a console.
pub fn usb(canvas: &mut Canvas<'_>, page: &UsbPage<'_>) -> Rectangle {
    let mut sheet = Sheet::new(canvas, "USB", ACCENT, page.version);
    sheet.large(page.title, ACCENT);
    sheet.gap();
    sheet.text(page.state, TEXT);
    if !page.serial.is_empty() {
        let mut serial: String<LABEL_BYTES> = String::new();
        let _ = write!(serial, "Serial {}", page.serial);
        sheet.text(&serial, DIM);
    }
    sheet.gap();
    for key in page.keys {
        sheet.text(key, DIM);
    }
    sheet.gap();
    sheet.rest()
}

/// A console in `area` in the colours of the pages.
pub const fn console(canvas: &Canvas<'_>, area: Rectangle) -> Console {
    Console::new(area, Face::for_width(canvas.width()), DIM, GROUND)
}

/// A page being written from top to bottom.
struct Sheet<'c, 'f> {
    canvas: &'c mut Canvas<'f>,
    face: Face,
    /// Left end of the text, in pixels.
    left: i32,
    y: i32,
}

impl<'c, 'f> Sheet<'c, 'f> {
    /// An empty page with its title and the small mark in a bar on top.
    fn new(canvas: &'c mut Canvas<'f>, title: &str, ink: Rgb565, version: &str) -> Self {
        canvas.wipe(GROUND);
        let face = Face::for_width(canvas.width());
        let cell = face.cell();
        let height = cell.height * 2;
        let bar = Rectangle::new(Point::zero(), Size::new(canvas.width(), height));
        canvas.fill(bar, BOX);
        let left = cell.width as i32;
        let y = (cell.height / 2) as i32;
        face.line(canvas, Point::new(left, y), title, ink);
        let text = cell.width as i32 * version.len() as i32;
        let right = canvas.width() as i32 - left;
        // The mark is as high as the bar allows, about five characters wide.
        let logo = mark::size(cell.width * 5);
        let logo_left = right - text - left - logo.width as i32;
        if logo_left > left + cell.width as i32 * title.len() as i32 {
            face.line(canvas, Point::new(right - text, y), version, DIM);
            let top = (height as i32 - logo.height as i32) / 2;
            mark::draw(canvas, Point::new(logo_left, top), logo.width, TEXT, ACCENT);
        }
        Self {
            canvas,
            face,
            left,
            y: (height + cell.height) as i32,
        }
    }

    /// A coloured bar on the left of what was written since `top`.
    fn bar(&mut self, colour: Rgb565, top: i32) {
        let width = self.face.cell().width / 3;
        let size = Size::new(width, (self.y - top).max(0) as u32);
        self.canvas
            .fill(Rectangle::new(Point::new(self.left, top), size), colour);
    }

    /// What is left of the page, with room for the bars on its left.
    fn area(&self, inset: i32) -> Rectangle {
        let left = self.left + inset;
        let width = (self.canvas.width() as i32 - left - self.left).max(0);
        let height = (self.canvas.height() as i32 - self.y).max(0);
        Rectangle::new(
            Point::new(left, self.y),
            Size::new(width as u32, height as u32),
        )
    }

    fn text(&mut self, text: &str, ink: Rgb565) {
        let area = self.area(self.left);
        self.y = self.face.paragraph(self.canvas, area, text, ink);
    }

    /// As large as fits in one line, up to three times the text.
    fn large(&mut self, text: &str, ink: Rgb565) {
        let area = self.area(self.left);
        let face = self.face.fitting(text.chars().count(), area.size.width, 3);
        self.y = face.paragraph(self.canvas, area, text, ink);
    }

    fn gap(&mut self) {
        self.y += self.face.cell().height as i32 * 2 / 3;
    }

    fn rest(self) -> Rectangle {
        let mut area = self.area(0);
        // Whole lines only.
        area.size.height -= area.size.height % self.face.cell().height;
        area
    }
}
