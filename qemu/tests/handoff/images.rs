//! Every kind of boot image that there is for these phones, and the command
//! line that comes of it.
//! Source: facts/storage-and-images.md 5.1, 5.2, 5.4, 6.4.

use unilk::bootimg::{BootImage, SubHeaders, TreePlace};
use unilk_core::hints::Hints;

use crate::common::trees::Tree;
use crate::common::{Kernel, Run};
use crate::look::{lk_with, phone_with, plain};

fn boot(image: &BootImage) -> Run {
    let run = phone_with(image).run();
    run.is_good().ramdisk_at("TK initrd ");
    run
}

/// A tree that is told from others by its model, with a command line and a
/// property that no loader knows, of more than 31 characters.
fn tree() -> Vec<u8> {
    Tree::new()
        .open("")
        .property("#address-cells", &1u32.to_be_bytes())
        .property("#size-cells", &1u32.to_be_bytes())
        .property("model", b"A phone of its own\0")
        .property("compatible", b"mediatek,mt6572\0")
        .property("arm,cpu-registers-not-fw-configured", &[])
        .open("chosen")
        .property("bootargs", b"from.tree=1 root=/dev/tree\0")
        .close()
        .finish()
}

fn with_tree(tree_place: TreePlace, sub_headers: SubHeaders) -> BootImage {
    BootImage {
        device_tree: Some(tree()),
        tree_place,
        sub_headers,
        ..plain(Kernel::Tree)
    }
}

#[test]
fn plain_image_without_a_tree_gets_the_generic_one() {
    let run = boot(&plain(Kernel::Tree));
    run.lists("TK fdt model=", &["Generic MediaTek MT6572"]);
    run.says(&["the image brings no device tree"]);
}

#[test]
fn mediatek_headers_without_a_tree() {
    let run = boot(&BootImage {
        sub_headers: SubHeaders::Boot,
        ..plain(Kernel::Tree)
    });
    run.lists("TK fdt model=", &["Generic MediaTek MT6572"]);
}

#[test]
fn recovery_image_with_its_headers() {
    let image = BootImage {
        sub_headers: SubHeaders::Recovery,
        ..plain(Kernel::Tree)
    };
    let run = phone_with(&plain(Kernel::Masked))
        .part("RECOVERY", image.build().unwrap())
        .with_board("[boot]\nmode = 2")
        .run();
    run.is_good().ramdisk_at("TK initrd ");
    run.lists("TK chosen unilk,boot-mode=", &["recovery"]);
}

#[test]
fn appended_tree() {
    let run = boot(&with_tree(TreePlace::Appended, SubHeaders::None));
    run.lists("TK fdt model=", &["A phone of its own"]);
}

#[test]
fn appended_tree_inside_mediatek_headers() {
    let run = boot(&with_tree(TreePlace::Appended, SubHeaders::Boot));
    run.lists("TK fdt model=", &["A phone of its own"]);
}

#[test]
fn tree_as_second_stage() {
    let run = boot(&with_tree(TreePlace::SecondStage, SubHeaders::None));
    run.lists("TK fdt model=", &["A phone of its own"]);
}

#[test]
fn tree_as_second_stage_beside_mediatek_headers() {
    let run = boot(&with_tree(TreePlace::SecondStage, SubHeaders::Boot));
    run.lists("TK fdt model=", &["A phone of its own"]);
}

#[test]
fn pages_of_4_and_16_kib() {
    for page_bytes in [4096, 16384] {
        for sub_headers in [SubHeaders::None, SubHeaders::Boot] {
            boot(&BootImage {
                page_bytes,
                ..with_tree(TreePlace::SecondStage, sub_headers)
            });
        }
    }
}

#[test]
fn image_without_a_ramdisk() {
    let image = BootImage {
        ramdisk: Vec::new(),
        ..plain(Kernel::Tree)
    };
    let run = phone_with(&image).run();
    run.is_good().lists("TK initrd ", &[]);
    run.never_says("linux,initrd-start");
}

/// Three sources, the stronger wins a key; `console=` stays from all.
#[test]
fn command_line_of_tree_image_and_hint() {
    let image = BootImage {
        cmdline: "console=ttyS0,921600 root=/dev/image quiet from.image=1".to_owned(),
        ..with_tree(TreePlace::Appended, SubHeaders::None)
    };
    let hints = Hints {
        cmdline: Some("console=tty0 from_hint from.image=2"),
        ..Hints::default()
    };
    let run = phone_with(&image).part("UBOOT", lk_with(&hints)).run();
    run.is_good();
    run.lists(
        "TK chosen bootargs=",
        &[
            "from.tree=1 console=ttyS0,921600 root=/dev/image quiet console=tty0 from_hint from.image=2",
        ],
    );
}

/// What does not fit the header's first 512 bytes goes on in its second field.
#[test]
fn long_command_line() {
    let words: Vec<_> = (0..60)
        .map(|n| format!("word.{n:02}={:08}", n * n))
        .collect();
    let image = BootImage {
        cmdline: words.join(" "),
        ..plain(Kernel::Tree)
    };
    boot(&image).lists("TK chosen bootargs=", &[&image.cmdline]);
}

#[test]
fn only_what_is_fitted_is_written_to_the_card() {
    let run = phone_with(&with_tree(TreePlace::Appended, SubHeaders::Boot))
        .keep_before()
        .run();
    run.is_good().wrote_only_what_it_remembers();
    run.says(&["remembered in MISC"]);
}
