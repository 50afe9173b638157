//! One model a block of the MT6572, and of the chips around it.

pub mod apmixed;
pub mod auxadc;
pub mod chipid;
pub mod disp_mutex;
pub mod disp_rdma;
pub mod dsi;
pub mod efuse;
pub mod eint;
pub mod emmc;
pub mod gpio;
pub mod gpt;
pub mod infracfg;
pub mod iocfg;
pub mod keypad;
pub mod mcusys;
pub mod mmsys;
pub mod msdc;
pub mod mt6323;
pub mod musb;
pub mod pwrap;
pub mod registers;
pub mod rtc;
pub mod scratch;
pub mod spm;
pub mod topckgen;
pub mod toprgu;
/// Declares models here, one line each: file name and what it is.
pub mod uart;
