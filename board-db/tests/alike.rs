//! How many rows a touch chip or a camera may be taken for.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use unilk_board_db::{camera, cameras, cameras_like, touch, touch_chips, touch_like};

/// Rows by the size of their group.
fn sizes(groups: impl Iterator<Item = usize>) -> BTreeMap<usize, usize> {
    let mut sizes = BTreeMap::new();
    for size in groups {
        *sizes.entry(size).or_default() += 1;
    }
    sizes
}

#[test]
fn most_cameras_are_told_alone() {
    let sizes = sizes(cameras().iter().map(|row| cameras_like(row).count()));
    println!("{sizes:?}");
    assert!(!sizes.contains_key(&0), "each is like itself: {sizes:?}");
    assert!(sizes[&1] * 100 >= cameras().len() * 90, "{sizes:?}");
    assert!(sizes.keys().all(|&size| size <= 3), "{sizes:?}");
}

#[test]
fn touch_chips_with_an_id_are_told_alone() {
    let known = touch_chips().iter().filter(|row| !row.weak);
    let sizes_known = sizes(known.map(|row| touch_like(row).count()));
    let weak = touch_chips().iter().filter(|row| row.weak);
    let sizes_weak = sizes(weak.map(|row| touch_like(row).count()));
    println!("{sizes_known:?} {sizes_weak:?}");
    assert_eq!(sizes_known.keys().copied().collect::<Vec<_>>(), [1]);
    assert!(sizes_weak.keys().all(|&size| size <= 6), "{sizes_weak:?}");
}

#[test]
fn groups_are_those_of_the_facts() {
    let like = |id| {
        cameras_like(camera(id).unwrap())
            .map(|row| row.id)
            .collect::<Vec<_>>()
    };
    // facts/i2c-touch-camera.md 4.7
    for [one, other] in [
        ["ov2655", "ov2659"],
        ["ov2655", "ov2675"],
        ["hi704", "hi708"],
        ["sp2519", "sp2529"],
        ["a5141", "a5142"],
        ["ar2030", "mt9d115"],
        ["gs8604", "imx219"],
        ["imx135", "imx136"],
    ] {
        assert!(
            like(one).contains(&other) && like(other).contains(&one),
            "{one}"
        );
    }
    assert_eq!(like("ov5645"), ["ov5645"]);
    let like = |id| {
        touch_like(touch(id).unwrap())
            .map(|row| row.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(like("msg2133a"), ["msg2133a"]);
    assert!(like("mms144").contains(&"mms128") && like("mms128").contains(&"mms144"));
}
