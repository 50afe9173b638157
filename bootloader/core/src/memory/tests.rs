#![allow(clippy::unwrap_used)]
use super::*;
use crate::bootarg::Dram;
use crate::zimage::{KernelSize, Placement};
use std::string::ToString;

const MIB: u32 = 1 << 20;

fn dram(mib: u32) -> Dram {
    Dram::new(&[mib * MIB]).unwrap()
}

/// Debian 6.1 armmp.
fn debian(placement: Placement) -> DeviceTreeNeeds<'static> {
    DeviceTreeNeeds {
        placement,
        zimage_len: 0x53_2200,
        kernel: KernelSize {
            image: 0x13A_10B4,
            bss: 0x5_E4D4,
            exact: true,
        },
        tree_len: 20_000,
        ramdisk_len: 8 * MIB,
        in_use: &[],
    }
}

/// What must hold for every plan that is made.
fn check(dram: &Dram, plan: &DeviceTreePlan) {
    let regions = plan.map.regions();
    for (index, region) in regions.iter().enumerate() {
        assert!(region.end() <= dram.end(), "{region:x?}");
        for other in &regions[index + 1..] {
            assert!(!region.overlaps(other), "{region:x?} {other:x?}");
        }
    }
    for region in [plan.zimage, plan.kernel, plan.tree]
        .iter()
        .chain(&plan.ramdisk)
    {
        assert!(
            region.base >= KERNEL_MEMORY_START && region.base >= plan.memory_start,
            "{region:x?}"
        );
    }
    assert!(
        plan.zimage.base >= plan.kernel.end(),
        "no copy of the zImage needed"
    );
    assert_eq!(plan.zimage.base % 4096, 0);
}

/// The kernel's own rule, from facts/storage-and-images.md 5.4.
fn where_it_goes(placement: Placement, load: u32, memory_start: u32) -> u32 {
    let masked = load & 0xF800_0000;
    match placement {
        Placement::Masked { text_offset } => masked + text_offset,
        Placement::ObeysTree { text_offset } if masked >= memory_start => masked + text_offset,
        Placement::ObeysTree { text_offset } => {
            memory_start.next_multiple_of(2 * MIB) + text_offset
        }
        Placement::Fixed { address } => address,
        Placement::Unknown => masked + 0x8000,
    }
}

#[test]
fn each_kind_of_kernel_ends_where_the_plan_says() {
    let cases = [
        (
            Placement::Masked {
                text_offset: 0x20_8000,
            },
            0x8020_8000,
            0x8000_0000,
            PlacementNote::None,
        ),
        (
            Placement::Masked {
                text_offset: 0x8000,
            },
            0x8800_8000,
            0x8800_0000,
            PlacementNote::LowMemoryLost { start: 0x8800_0000 },
        ),
        (
            Placement::ObeysTree {
                text_offset: 0x20_8000,
            },
            0x8020_8000,
            0x8000_0000,
            PlacementNote::None,
        ),
        (
            Placement::ObeysTree {
                text_offset: 0x8000,
            },
            0x8020_8000,
            0x8020_0000,
            PlacementNote::FirstMibsWithheld,
        ),
        (
            Placement::Fixed {
                address: 0x8020_8000,
            },
            0x8020_8000,
            0x8020_0000,
            PlacementNote::None,
        ),
        (
            Placement::Unknown,
            0x8800_8000,
            0x8800_0000,
            PlacementNote::Unrecognised { start: 0x8800_0000 },
        ),
    ];
    for mib in [256, 512, 1024] {
        for (placement, kernel, memory_start, note) in cases {
            let plan = plan_device_tree(&dram(mib), &debian(placement)).unwrap();
            check(&dram(mib), &plan);
            assert_eq!(
                where_it_goes(placement, plan.zimage.base, plan.memory_start),
                kernel,
                "{placement:x?}"
            );
            let image = kernel..kernel + 0x13F_F588;
            assert!(plan.kernel.base + 0x4000 <= image.start && plan.kernel.end() >= image.end);
            assert_eq!((plan.memory_start, plan.note), (memory_start, note));
        }
    }
}

#[test]
fn text_offsets_near_the_first_mib_count_their_page_tables() {
    let lands = |text_offset| {
        plan_device_tree(&dram(512), &debian(Placement::Masked { text_offset }))
            .unwrap()
            .memory_start
    };
    assert_eq!(lands(0x10_8000), 0x8000_0000);
    assert_eq!(
        lands(0x10_4000),
        0x8800_0000,
        "LPAE page tables would reach into the first MiB"
    );
}

#[test]
fn a_fixed_address_in_the_first_mib_is_refused() {
    let place =
        |address| plan_device_tree(&dram(512), &debian(Placement::Fixed { address })).map(|_| ());
    assert_eq!(
        place(0x8000_8000),
        Err(MemoryError::KernelPlace {
            address: 0x8000_8000
        })
    );
    assert_eq!(
        place(0xC000_0000),
        Err(MemoryError::KernelPlace {
            address: 0xC000_0000
        })
    );
    assert_eq!(place(0x8010_8000), Ok(()));
}

#[test]
fn the_zimage_goes_above_a_kernel_that_leaves_room_below() {
    let plan = plan_device_tree(
        &dram(512),
        &debian(Placement::Fixed {
            address: 0x8800_8000,
        }),
    )
    .unwrap();
    check(&dram(512), &plan);
    assert_eq!(plan.zimage.base, 0x8940_8000);
}

#[test]
fn too_little_memory_is_named_with_numbers() {
    let masked = debian(Placement::Masked {
        text_offset: 0x8000,
    });
    let error = plan_device_tree(&dram(128), &masked)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(
        error,
        MemoryError::Small {
            wanted: "unpacked kernel",
            needed: 0x940_8000,
            available: 0x800_0000
        }
    );
    assert_eq!(
        error.to_string(),
        "unpacked kernel needs 0x9408000 bytes of DRAM, this phone has 0x8000000: use a smaller kernel or ramdisk"
    );
    let large = DeviceTreeNeeds {
        ramdisk_len: 300 * MIB,
        ..debian(Placement::Masked {
            text_offset: 0x20_8000,
        })
    };
    let error = plan_device_tree(&dram(256), &large)
        .map(|_| ())
        .unwrap_err();
    assert!(
        matches!(
            error,
            MemoryError::Full {
                wanted: "ramdisk",
                needed: 0x12C0_0000,
                ..
            }
        ),
        "{error:?}"
    );
    let absurd = DeviceTreeNeeds {
        ramdisk_len: u32::MAX,
        zimage_len: u32::MAX,
        ..masked
    };
    assert!(plan_device_tree(&dram(1024), &absurd).is_err());
}

#[test]
fn memory_in_use_is_respected() {
    let framebuffer = [Region {
        name: "framebuffer",
        base: 0x8240_0000,
        len: 12 * MIB,
    }];
    let needs = DeviceTreeNeeds {
        in_use: &framebuffer,
        ..debian(Placement::Masked {
            text_offset: 0x20_8000,
        })
    };
    let plan = plan_device_tree(&dram(256), &needs).unwrap();
    check(&dram(256), &plan);
    let on_kernel = [Region {
        name: "framebuffer",
        base: 0x8100_0000,
        len: MIB,
    }];
    let needs = DeviceTreeNeeds {
        in_use: &on_kernel,
        ..needs
    };
    let error = plan_device_tree(&dram(256), &needs)
        .map(|_| ())
        .unwrap_err();
    assert!(matches!(
        error,
        MemoryError::Overlap {
            holder: "framebuffer",
            ..
        }
    ));
}

#[test]
fn tree_and_ramdisk_stay_in_directly_mapped_memory() {
    let needs = DeviceTreeNeeds {
        ramdisk_len: 700 * MIB,
        ..debian(Placement::Masked {
            text_offset: 0x20_8000,
        })
    };
    let plan = plan_device_tree(&dram(1024), &needs).unwrap();
    assert!(plan.ramdisk.unwrap().end() <= 0x8000_0000 + 760 * MIB);
    let needs = DeviceTreeNeeds {
        ramdisk_len: 740 * MIB,
        ..needs
    };
    assert!(plan_device_tree(&dram(1024), &needs).is_err());
}

#[test]
fn tree_room() {
    let room = |tree_len| {
        let needs = DeviceTreeNeeds {
            tree_len,
            ..debian(Placement::Masked {
                text_offset: 0x20_8000,
            })
        };
        plan_device_tree(&dram(512), &needs).map(|plan| plan.tree.len)
    };
    assert_eq!(room(20_000), Ok(0x5000 + 0x1_0000));
    assert_eq!(room(MIB), Ok(MIB));
    assert_eq!(room(MIB + 1), Err(MemoryError::Tree { bytes: MIB + 1 }));
}

/// The A516's kernel and RAM disk.
fn a516() -> VendorNeeds<'static> {
    VendorNeeds {
        zimage_len: 0x3D_1E80,
        kernel: KernelSize::estimate(0x3D_1E80),
        ramdisk_len: 0x9_260D,
        in_use: &[],
    }
}

#[test]
fn stock_addresses_on_the_smallest_phone() {
    let plan = plan_vendor(&dram(256), &a516()).unwrap();
    assert_eq!(plan.zimage.base, 0x8010_8000);
    assert_eq!(plan.tags.base, 0x8010_0100);
    assert_eq!(plan.tags.end(), 0x8010_4000);
    assert_eq!(plan.ramdisk.unwrap().base, 0x8410_0000);
    assert!(plan_vendor(&Dram::new(&[128 * MIB, 128 * MIB]).unwrap(), &a516()).is_ok());
}

#[test]
fn vendor_ramdisk_stays_below_modem_and_framebuffer() {
    let with = |ramdisk_len| {
        plan_vendor(
            &dram(256),
            &VendorNeeds {
                ramdisk_len,
                ..a516()
            },
        )
        .map(|_| ())
    };
    // 256 MiB - 12 MiB - 20 MiB, down to 32 MiB: 0x8E000000.
    assert_eq!(with(0x8E00_0000 - 0x8410_0000), Ok(()));
    assert!(matches!(
        with(0x8E00_0000 - 0x8410_0000 + 1),
        Err(MemoryError::Small {
            wanted: "ramdisk",
            ..
        })
    ));
    assert!(plan_vendor(&dram(64), &a516()).is_err());
}

#[test]
fn vendor_kernel_without_a_ramdisk_must_end_in_dram() {
    let with = |mib, zimage_len| {
        let needs = VendorNeeds {
            zimage_len,
            kernel: KernelSize::estimate(zimage_len),
            ramdisk_len: 0,
            ..a516()
        };
        plan_vendor(&dram(mib), &needs).map(|_| ())
    };
    for mib in [1, 2, 9] {
        let Err(MemoryError::Small {
            wanted: "kernel",
            needed,
            available,
        }) = with(mib, 4 * MIB)
        else {
            panic!("{mib} MiB");
        };
        // Twice the zImage behind 0x80108000.
        assert_eq!((needed, available), (0x10_8000 + 8 * MIB, mib * MIB));
    }
    assert_eq!(with(10, 4 * MIB), Ok(()));
}

#[test]
fn the_modem_counts() {
    // 272 MiB: without the modem's 20 MiB the limit would be 0x90000000.
    let room = 0x8E00_0000 - VENDOR_RAMDISK_ADDRESS;
    let with = |ramdisk_len| {
        let needs = VendorNeeds {
            ramdisk_len,
            ..a516()
        };
        plan_vendor(&dram(272), &needs).map(|_| ())
    };
    assert_eq!(with(room), Ok(()));
    assert!(with(room + 1).is_err());
}

#[test]
fn vendor_kernel_must_fit_below_the_ramdisk() {
    let needs = VendorNeeds {
        zimage_len: 33 * MIB,
        kernel: KernelSize::estimate(33 * MIB),
        ..a516()
    };
    assert!(matches!(
        plan_vendor(&dram(512), &needs),
        Err(MemoryError::Full {
            wanted: "kernel",
            ..
        })
    ));
    let exact = VendorNeeds {
        kernel: KernelSize {
            image: 62 * MIB,
            bss: 0,
            exact: true,
        },
        ..a516()
    };
    assert!(plan_vendor(&dram(512), &exact).is_err());
}

#[test]
fn claims_do_not_overlap_and_allocation_finds_the_lowest_gap() {
    let mut map = RegionMap::new();
    map.claim(Region {
        name: "a",
        base: 0x1000,
        len: 0x1000,
    })
    .unwrap();
    map.claim(Region {
        name: "b",
        base: 0x4000,
        len: 0x1000,
    })
    .unwrap();
    assert_eq!(
        map.claim(Region {
            name: "c",
            base: 0x1FFF,
            len: 1
        }),
        Err(MemoryError::Overlap {
            wanted: "c",
            holder: "a",
            base: 0x1FFF
        })
    );
    let window = Region::between("", 0x1000, 0x8000);
    assert_eq!(
        map.allocate("d", 0x2000, 0x1000, window).unwrap().base,
        0x2000
    );
    assert_eq!(
        map.allocate("e", 0x2001, 0x1000, window).unwrap().base,
        0x5000
    );
    assert_eq!(
        map.allocate("f", 0x2000, 0x1000, window),
        Err(MemoryError::Full {
            wanted: "f",
            needed: 0x2000,
            available: 0
        })
    );
    let top = Region::between("", 0xFFFF_0000, u32::MAX);
    assert!(map.allocate("g", 0x2_0000, 0x1000, top).is_err());
}
