//! The host side of unilk as a library: what a person needs between a phone
//! and the image, in the formats that the field's other tools read and write.
//!
//! Every module takes bytes, a [`source::Source`] or a description, and returns
//! bytes, findings or an error; only the command line in `main.rs` opens files
//! by name and talks to people.

pub mod backup;
pub mod bootimg;
pub mod bytes;
pub mod compress;
pub mod db;
pub mod dos;
pub mod emmc;
pub mod finding;
pub mod identity;
pub mod image;
pub mod inspect;
pub mod layout;
pub mod log;
pub mod mtk;
pub mod mutate;
pub mod names;
pub mod pack;
pub mod pmt;
pub mod preloader;
pub mod progress;
pub mod recognise;
pub mod report;
pub mod scatter;
pub mod search;
pub mod simulate;
pub mod source;
pub mod sparse;
pub mod storage;
pub mod tree;
