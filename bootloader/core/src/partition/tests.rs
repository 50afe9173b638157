#![allow(clippy::unwrap_used)]
use super::*;
use crate::address::{AreaSizes, Logical, SECTOR_BYTES};
use crate::block::tests::FakeCard;
use crate::fuzz::fuzz;
use crate::header::Header;
use std::vec::Vec as StdVec;

const MBR: &[u8] = include_bytes!("../../tests/data/mobiwire-s10-mbr.bin");
const EBR1: &[u8] = include_bytes!("../../tests/data/mobiwire-s10-ebr1.bin");

/// 6 MiB of hardware partitions as on the A516, and 128 MiB of user area.
fn areas() -> AreaSizes {
    AreaSizes {
        boot_mult: 16,
        rpmb_mult: 16,
        gp_sectors: [0; 4],
        user_sectors: (128 << 20) / 512,
    }
}

/// The A516's table (linear offsets) as SP Flash Tool writes it.
fn pmt(signature: u32, extra: &[(&str, u64, u64)]) -> StdVec<u8> {
    let mut data = std::vec![0; PMT_LEN];
    data[..4].copy_from_slice(&signature.to_le_bytes());
    data[4..8].copy_from_slice(b"1.0\0");
    data[0xFFC..].copy_from_slice(&signature.to_le_bytes());
    let mut rows: StdVec<(&str, u64, u64)> = std::vec![("PRELOADER", 0, 0x60_0000)];
    rows.extend(A516.iter().map(|row| {
        (
            row.name,
            u64::from(row.logical) + 0x60_0000,
            u64::from(row.bytes),
        )
    }));
    rows.push(("USRDATA", 0x3D4_0000, 0x6000_0000));
    rows.push(("BMTPOOL", 0xFFFF_0010, 0x20_0000));
    rows.extend_from_slice(extra);
    for (index, (name, offset, size)) in rows.iter().enumerate() {
        let at = 8 + 88 * index;
        data[at..at + name.len()].copy_from_slice(name.as_bytes());
        data[at + 64..at + 72].copy_from_slice(&size.to_le_bytes());
        data[at + 72..at + 80].copy_from_slice(&offset.to_le_bytes());
    }
    data
}

fn primary(extra: &[(&str, u64, u64)]) -> Result<Table, TableError> {
    parse_pmt(
        &pmt(0x5054_7631, extra),
        PmtCopy::Primary,
        Translation::new(areas()),
    )
}

#[test]
fn the_a516_table_has_uboot_at_its_place_in_all_spaces() {
    let table = primary(&[]).unwrap();
    assert_eq!(table.find("UBOOT").unwrap().start.bytes(), 0x232_0000);
    assert_eq!(table.translation().mbr().bytes(), 0x60_0000);
    let (first, sectors) = table.locate("UBOOT").unwrap();
    assert_eq!((first.bytes(), sectors), (0x1D2_0000, 0x300));
    assert_eq!(table.locate("BOOTIMG").unwrap().0.bytes(), 0x1D8_0000);
}

#[test]
fn signatures_spell_what_is_on_the_card() {
    assert_eq!(pmt(0x5054_7631, &[])[..4], *b"1vTP");
    assert_eq!(pmt(0x4D50_5431, &[])[..4], *b"1TPM");
}

#[test]
fn aliases_reach_the_same_partition() {
    let table = primary(&[]).unwrap();
    for (alias, name) in [
        ("SECURE", "SECCFG"),
        ("SECSTATIC", "SEC_RO"),
        ("boot", "BOOTIMG"),
        ("APANIC", "EXPDB"),
    ] {
        assert_eq!(table.find(alias).unwrap().name, name);
    }
    assert!(table.find("NONSENSE").is_none());
}

#[test]
fn the_last_partition_ends_at_the_reserve_of_this_card() {
    let table = primary(&[]).unwrap();
    let user = table.find("USRDATA").unwrap();
    // 6 + 128 MiB less the 0x10 units of 128 KiB that BMTPOOL reserves.
    assert_eq!(user.end() * 512, (134 << 20) - 0x10 * 0x2_0000);
}

#[test]
fn damage_is_named() {
    let parse =
        |data: &[u8]| parse_pmt(data, PmtCopy::Primary, Translation::new(areas())).unwrap_err();
    let good = pmt(0x5054_7631, &[]);
    let spoil = |at: usize| {
        let mut data = good.clone();
        data[at] ^= 0xFF;
        data
    };
    assert!(matches!(parse(&spoil(0)), TableError::Signature { .. }));
    assert!(matches!(parse(&spoil(4)), TableError::Version { .. }));
    assert!(matches!(parse(&spoil(0xFFC)), TableError::Tail { .. }));
    assert_eq!(parse(&spoil(8 + 88 * 3)), TableError::Entry { index: 3 });
    assert_eq!(
        parse(&spoil(8 + 88 * 3 + 72)),
        TableError::Entry { index: 3 }
    );
    assert_eq!(parse(&good[..4000]), TableError::Read);
    let mut no_uboot = good.clone();
    no_uboot[8 + 88 * 8] = b'X';
    assert_eq!(parse(&no_uboot), TableError::NoUboot);
    assert_eq!(
        primary(&[("X", 0x232_0200, 512)]),
        Err(TableError::Overlap {
            first: 8,
            second: 16
        })
    );
    for far in [u64::MAX - 511, 0x10_0000_0000] {
        assert!(matches!(
            primary(&[("X", far, 512)]),
            Err(TableError::PastEnd { .. })
        ));
    }
}

#[test]
fn identity_and_tables_are_never_written() {
    let table = primary(&[]).unwrap();
    for name in [
        "PRELOADER",
        "MBR",
        "EBR1",
        "EBR2",
        "PRO_INFO",
        "NVRAM",
        "PROTECT_F",
        "PROTECT_S",
        "SECURE",
        "SEC_RO",
        "PMT",
        "OTP",
        "BMTPOOL",
        "nvram",
        "secro",
    ] {
        assert!(
            matches!(
                table.check_write(name, 1),
                Err(TableError::Protected { .. })
            ),
            "{name}"
        );
    }
    assert_eq!(table.check_write("UBOOT", 0x300), Ok(()));
    assert_eq!(
        table.check_write("UBOOT", 0x301),
        Err(TableError::TooSmall {
            sectors: 0x301,
            room: 0x300
        })
    );
    assert_eq!(table.check_write("MODEM", 1), Err(TableError::Unknown));
}

#[test]
fn real_mbr_and_ebr() {
    let mbr = Mbr::parse(MBR, Logical::from_sector(0)).unwrap();
    assert!(mbr.is_mediatek());
    let slots: StdVec<_> = mbr
        .slots
        .iter()
        .flatten()
        .map(|slot| (slot.kind, slot.start.bytes()))
        .collect();
    assert_eq!(
        slots,
        [
            (5, 0x8_0000),
            (0x83, 0x90_0000),
            (0x83, 0x130_0000),
            (0x83, 0x374_0000)
        ]
    );
    // Relative to EBR1: CACHE and USRDATA of the Mobiwire's scatter file.
    let ebr = Mbr::parse(EBR1, Logical::from_sector(0x400)).unwrap();
    let slots: StdVec<_> = ebr
        .slots
        .iter()
        .flatten()
        .map(|slot| slot.start.bytes())
        .collect();
    assert_eq!(slots, [0x3ED4_0000, 0x4CF4_0000]);
    assert_eq!(
        Mbr::parse(&MBR[..511], Logical::from_sector(0)),
        Err(MbrError::Short)
    );
    assert_eq!(
        Mbr::parse(&[0; 512], Logical::from_sector(0)),
        Err(MbrError::Signature)
    );
}

fn card() -> FakeCard {
    FakeCard::new(128 << 20)
}

const PMT_AT: usize = (128 << 20) - 0x10_0000;

#[test]
fn primary_then_mirror_then_built_in() {
    let mut card = card();
    card.put(0, MBR);
    card.put(PMT_AT, &pmt(0x5054_7631, &[]));
    card.put(PMT_AT + 0x1000, &pmt(0x4D50_5431, &[]));
    assert_eq!(
        discover(&mut card, areas()).unwrap().table.source(),
        Source::Pmt
    );

    card.put(PMT_AT, &[0; 4]);
    let found = discover(&mut card, areas()).unwrap();
    assert_eq!(found.table.source(), Source::PmtMirror);
    assert_eq!(found.primary, Some(TableError::Signature { found: 0 }));

    card.put(PMT_AT + 0x1FFC, &[0; 4]);
    let found = discover(&mut card, areas()).unwrap();
    assert_eq!(found.table.source(), Source::BuiltIn);
    assert_eq!(found.mirror, Some(TableError::Tail { found: 0 }));
    assert_eq!(found.table.locate("UBOOT").unwrap().0.bytes(), 0x1D2_0000);
    assert_eq!(
        found.table.locate("RECOVERY").unwrap().0.bytes(),
        0x238_0000
    );
}

#[test]
fn the_mbr_is_found_off_block_zero() {
    // 2.5 MiB of hardware partitions, layout made for 6 MiB.
    let areas = AreaSizes {
        boot_mult: 8,
        rpmb_mult: 4,
        ..areas()
    };
    let mut card = card();
    card.put(0x38_0000, MBR);
    let found = discover(&mut card, areas).unwrap();
    assert_eq!(found.table.source(), Source::BuiltIn);
    assert_eq!(
        found.table.locate("BOOTIMG").unwrap().0.bytes(),
        0x1D8_0000 + 0x38_0000
    );
}

#[test]
fn the_search_for_the_own_header_gives_up_on_a_bad_card() {
    let mut card = card();
    card.bad = (1..512).map(|n| n * 256).collect();
    let found = discover(&mut card, areas()).unwrap();
    assert_eq!(found.table.source(), Source::Assumed);
    assert!(card.reads < 20, "{} reads", card.reads);
}

#[test]
fn without_mbr_the_own_header_tells_where_the_layout_is() {
    let mut card = card();
    card.put(0x1D2_0000 + 0x60_0000, &Header::build_lk(0x1000).unwrap());
    let table = discover(&mut card, areas()).unwrap().table;
    assert_eq!(table.source(), Source::BuiltInFromUboot);
    assert_eq!(
        table.locate("BOOTIMG").unwrap().0.bytes(),
        0x1D8_0000 + 0x60_0000
    );
    assert!(
        table.find("RECOVERY").is_none(),
        "its place is not the same on all phones"
    );
}

#[test]
fn a_blank_card_is_assumed_and_a_dead_one_is_an_error() {
    let mut blank = card();
    assert_eq!(
        discover(&mut blank, areas()).unwrap().table.source(),
        Source::Assumed
    );
    let mut dead = card();
    dead.bad = (0..(128 << 20) / 512).collect();
    assert_eq!(discover(&mut dead, areas()), Err(TableError::Read));
}

#[test]
fn a_layout_that_ends_elsewhere_keeps_only_what_all_phones_share() {
    let mut card = card();
    let mut mbr = MBR.to_vec();
    mbr[0x1F6..0x1FA].copy_from_slice(&0x2_BA00u32.to_le_bytes());
    card.put(0, &mbr);
    let table = discover(&mut card, areas()).unwrap().table;
    assert_eq!(
        table.find("BOOTIMG").unwrap().sectors * SECTOR_BYTES,
        0x120_0000
    );
    assert!(table.find("MISC").is_none());
}

#[test]
fn any_bytes_return() {
    fuzz(&pmt(0x5054_7631, &[]), 20_000, |data| {
        if let Ok(table) = parse_pmt(data, PmtCopy::Primary, Translation::new(areas())) {
            for entry in table.entries() {
                let _ = table.locate(&entry.name);
            }
        }
    });
    fuzz(MBR, 5_000, |data| {
        let _ = Mbr::parse(data, Logical::from_sector(0)).map(|mbr| mbr.is_mediatek());
    });
}
