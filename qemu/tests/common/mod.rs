//! What the boot tests share: the artefacts that they run, phones with a card
//! of their own, device trees byte by byte, and what can be said of a run.
//!
//! Each test program includes this folder with `#[path]` or `mod common;`.
//! `cargo xtask test` builds the artefacts and names them in the environment:
//!
//! | variable | what |
//! |---|---|
//! | `UNILK_ARTIFACTS` | folder with `lk.bin` and the raw test kernels `kernel-{tree,tree-2m,masked,masked-2m,fixed}.bin` |
//! | `UNILK_PLUGIN` | the QEMU plugin |
//! | `UNILK_QEMU` | another `qemu-system-arm` than the one in `PATH` |

#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    reason = "test code of which each program uses its part"
)]

pub mod artifacts;
pub mod phone;
pub mod run;
pub mod trees;

pub use artifacts::{Kernel, kernel, lk};
pub use phone::{Scratch, TestPhone, image};
pub use run::Run;
