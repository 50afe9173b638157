//! The screen: where the picture lies in memory, drawing on it, and the pages
//! that a boot shows.
//!
//! | file | what |
//! |---|---|
//! | `layout.rs` | place and size of the framebuffer, by the vendor's formula |
//! | `canvas.rs` | RGB565 frame with clipping; a `DrawTarget` of `embedded-graphics` |
//! | `text.rs` | fonts by panel width, lines, paragraphs |
//! | `console.rs` | scrolling text in a part of the frame |
//! | `mark.rs` | the own logo, drawn |
//! | `logo.rs` | the phone's logo, unpacked from its LOGO partition |
//! | `pages.rs` | boot, verdicts, error, USB |
//! | `wizard.rs` | the test picture of one candidate panel |
//!
//! Everything draws on whatever size it is given, down to a single pixel:
//! what does not fit is left out.

pub mod canvas;
pub mod console;
pub mod layout;
pub mod logo;
pub mod mark;
pub mod pages;
pub mod text;
pub mod wizard;

#[cfg(test)]
mod tests;

pub use canvas::Canvas;
pub use console::Console;
pub use embedded_graphics::primitives::Rectangle;
pub use layout::{FramebufferLayout, LayoutError};
pub use logo::LogoError;
pub use text::Face;

/// The colours of all pages.
pub mod colours {
    use embedded_graphics::pixelcolor::Rgb565;

    /// Behind everything.
    pub const GROUND: Rgb565 = Rgb565::new(1, 3, 3);
    /// Boxes on the ground.
    pub const BOX: Rgb565 = Rgb565::new(3, 9, 6);
    /// Text.
    pub const TEXT: Rgb565 = Rgb565::new(28, 57, 28);
    /// Text of less weight.
    pub const DIM: Rgb565 = Rgb565::new(16, 33, 17);
    /// Titles, and all that is well.
    pub const ACCENT: Rgb565 = Rgb565::new(4, 50, 22);
    /// Guesses and warnings.
    pub const WARN: Rgb565 = Rgb565::new(31, 46, 5);
    /// Errors.
    pub const ERROR: Rgb565 = Rgb565::new(31, 20, 10);
}
