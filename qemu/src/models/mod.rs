//! One model a block of the MT6572, and of the chips around it.

/// Declares models here, one line each: file name and what it is.
pub mod uart;
pub mod gpt;
pub mod toprgu;
pub mod topckgen;
pub mod infracfg;
pub mod apmixed;
pub mod mcusys;
pub mod spm;
pub mod gpio;
pub mod iocfg;
pub mod eint;
pub mod keypad;
pub mod chipid;
pub mod efuse;
pub mod auxadc;
pub mod pwrap;
pub mod mt6323;
pub mod rtc;
pub mod msdc;
pub mod emmc;
pub mod scratch;
pub mod registers;
pub mod mmsys;
pub mod dsi;
pub mod disp_mutex;
pub mod disp_rdma;
pub mod musb;
