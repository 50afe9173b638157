//! Makes one model for each line of the map.

use std::path::{Path, PathBuf};

use super::Slots;
use super::adopted::Adopted;
use super::map::{Entry, MAP};
use crate::board::Board;
use crate::bus::{Block, Context};
use crate::models::emmc::config::HW_PARTITION_UNIT;
use crate::models::emmc::{Config, Emmc, FileStore, Store, Stores};
use crate::models::{
    apdma::ApDma,
    apmixed::Apmixed,
    auxadc::Auxadc,
    cam::Cam,
    chipid::ChipId,
    dbi::Dbi,
    disp_bls::DispBls,
    disp_color::DispColor,
    disp_mutex::DispMutex,
    disp_ovl::DispOvl,
    disp_rdma::DispRdma,
    dsi::Dsi,
    efuse::Efuse,
    eint::Eint,
    gpio::Gpio,
    gpt::Gpt,
    i2c::I2c,
    infracfg::Infracfg,
    iocfg::{Bank, Iocfg},
    keypad::Keypad,
    mcusys::Mcusys,
    mipitx::Mipitx,
    mmsys::Mmsys,
    msdc::Msdc,
    mt6323::Mt6323,
    musb::Musb,
    pwm::Pwm,
    pwrap::Pwrap,
    scratch::Scratch,
    seninf::Seninf,
    spm::Spm,
    topckgen::Topckgen,
    toprgu::Toprgu,
    uart::Uart,
};
use crate::panel::{self, Panel};

/// The models in the order of the map.
///
/// # Errors
/// What in the board file no model can be made of.
pub fn blocks(board: &Board, mut storage: Option<Stores>) -> Result<Slots, String> {
    MAP.iter()
        .map(|entry| block(entry, board, &mut storage))
        .collect()
}

fn block(
    entry: &Entry,
    board: &Board,
    storage: &mut Option<Stores>,
) -> Result<Box<dyn Block>, String> {
    Ok(match entry.name {
        "CHIPID" => Box::new(ChipId::new(board.chip.chipid())),
        "TOPCKGEN" => Box::new(Topckgen::new()),
        "INFRACFG" => Box::new(Infracfg::new()),
        "KP" => Box::new(Keypad::new()),
        "GPIO" => Box::new(Gpio::new().with_pads(board.pins.pads())),
        "SPM" => Box::new(Spm::new()),
        "TOPRGU" => Box::new(Toprgu::new()),
        "APXGPT" => Box::new(Gpt::new()),
        "EFUSE" => Box::new(Efuse::new(&board.chip.efuse())),
        "EINT" => Box::new(Eint::new()),
        "PWRAP" => Box::new(Adopted {
            block: pmic_wrapper(board),
            adopt: Pwrap::leave_as_preloader,
        }),
        "MCUSYS" => Box::new(Mcusys::new()),
        "APMIXED" => Box::new(Apmixed::new()),
        "IOCFG_T" => Box::new(Iocfg::new(Bank::Top)),
        "IOCFG_B" => Box::new(Iocfg::new(Bank::Bottom)),
        "IOCFG_L" => Box::new(Iocfg::new(Bank::Left)),
        "IOCFG_R" => Box::new(Iocfg::new(Bank::Right)),
        "AUXADC" => Box::new(auxadc(board)),
        "AP_DMA" => Box::new(ApDma::new()),
        "I2C0" => Box::new(I2c::new(0, &board.i2c)),
        "I2C1" => Box::new(I2c::new(1, &board.i2c)),
        "CAM" => Box::new(Cam::new()),
        "SENINF" => Box::new(Seninf::new()),
        "UART0" => Box::new(Uart::new(0).stuck(board.faults.uart_stuck)),
        "UART1" => Box::new(Uart::new(1).stuck(board.faults.uart_stuck)),
        "MSDC0" => msdc0(board, storage.take())?,
        "MSDC1" => Box::new(Msdc::new(1, None)),
        "USB" => Box::new(Musb::new()),
        "PWM" => Box::new(Pwm::new()),
        "DBI" => Box::new(Dbi::new(panel(board, true))),
        "DISP_OVL" => Box::new(DispOvl::new()),
        "DISP_COLOR" => Box::new(DispColor::new()),
        "DISP_BLS" => Box::new(DispBls::new()),
        "DISP_RDMA" => Box::new(DispRdma::new()),
        "MIPI_CONFIG" => Box::new(Mipitx::new()),
        "DSI" => Box::new(Dsi::new(panel(board, false)).with_faults(board.faults.dsi)),
        "DISP_MUTEX" => Box::new(DispMutex::new()),
        "MMSYS_CONFIG" => Box::new(Mmsys::new()),
        name => Box::new(Scratch::new(name, entry.len)),
    })
}

/// The panel as the LCD controller (`on_bus`) or the DSI host has it: one of
/// the two has none.
fn panel(board: &Board, on_bus: bool) -> Panel {
    let here = |config: &panel::Config| config.bus.is_some() == on_bus;
    Panel::new(board.panel.clone().filter(here))
}

fn auxadc(board: &Board) -> Auxadc {
    let mut auxadc = Auxadc::new();
    for (channel, level_mv) in board.auxadc.levels() {
        auxadc.set_level_mv(channel, level_mv);
    }
    let adc = board.panel.as_ref().and_then(panel::Config::connected_adc);
    if let Some(adc) = adc {
        auxadc.set_level_mv(usize::from(adc.channel), adc.mv);
    }
    auxadc
}

fn pmic_wrapper(board: &Board) -> Pwrap {
    let mut pmic = Mt6323::new(board.chip.pmic_cid).with_supplies(board.rails.clone());
    if board.rtc.lost_power {
        pmic.rtc.lose_power();
    } else {
        pmic.rtc.set_flags(board.rtc.pdn1, board.rtc.pdn2);
    }
    Pwrap::new(pmic)
}

fn msdc0(board: &Board, storage: Option<Stores>) -> Result<Box<dyn Block>, String> {
    let Some(stores) = storage.filter(|_| !board.emmc.absent) else {
        return Ok(Box::new(Msdc::new(0, None)));
    };
    let card = Emmc::new(board.emmc.clone(), stores)
        .map_err(|error| format!("board file: emmc: {error}"))?;
    let busy_ns = u64::from(board.boot.card_busy_ms) * 1_000_000;
    let adopt =
        move |msdc: &mut Msdc, cx: &mut Context<'_>| msdc.leave_as_preloader(cx.now + busy_ns);
    Ok(Box::new(Adopted {
        block: Msdc::new(0, Some(card)),
        adopt,
    }))
}

/// Opens the files of a card: the user area's, and those of the boot
/// partitions, made as large as the card states if they are absent or shorter.
/// `None` where there is none.
///
/// # Errors
/// A file that exists but cannot be opened.
pub fn open_storage(user: Option<&Path>, card: &Config) -> Result<Option<Stores>, String> {
    let Some(path) = user.filter(|path| path.exists()) else {
        return Ok(None);
    };
    let boot_len = u64::from(card.boot_size_mult) * HW_PARTITION_UNIT;
    let boot = |suffix: &str| -> Result<Box<dyn Store>, String> {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let file = PathBuf::from(name);
        let store = FileStore::open_or_create(&file, boot_len)
            .map_err(|error| format!("emmc={}: {error}", file.display()))?;
        Ok(Box::new(store))
    };
    let user =
        FileStore::open(path).map_err(|error| format!("emmc={}: {error}", path.display()))?;
    Ok(Some(Stores {
        user: Box::new(user),
        boot1: boot(".boot1")?,
        boot2: boot(".boot2")?,
    }))
}

/// The preloader model's own view of the user area.
///
/// # Errors
/// As [`open_storage`].
pub fn preloader_storage(user: Option<&Path>) -> Result<Option<Box<dyn Store>>, String> {
    let Some(path) = user.filter(|path| path.exists()) else {
        return Ok(None);
    };
    let store =
        FileStore::open(path).map_err(|error| format!("emmc={}: {error}", path.display()))?;
    Ok(Some(Box::new(store)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn boot_partitions_are_as_large_as_the_card_states() {
        let user = std::env::temp_dir().join(format!("mt6572-user-{}.img", std::process::id()));
        std::fs::write(&user, [0; 512]).unwrap();
        let card = Config {
            boot_size_mult: 64,
            ..Config::default()
        };
        let stores = open_storage(Some(&user), &card).unwrap().unwrap();
        assert_eq!(stores.boot1.len(), 8 << 20);
        assert_eq!(stores.boot2.len(), 8 << 20);
        for suffix in ["", ".boot1", ".boot2"] {
            let mut name = user.clone().into_os_string();
            name.push(suffix);
            std::fs::remove_file(name).unwrap();
        }
    }
}
