use super::super::phone::Sameness;
use super::*;
use crate::finding::any_problem;

/// A phone that lost its NVRAM and PRO_INFO.
fn emptied(seed: u64) -> Vec<u8> {
    let mut user = phone(seed);
    user[0x1000..0x1_8000].fill(0);
    user
}

fn identity() -> Request {
    Request {
        identity: true,
        ..Request::default()
    }
}

#[test]
fn the_first_loader_is_never_written() {
    let archive = keep(&dump(&source(phone(1))), &scratch("loader"));
    let everything = Request {
        identity: true,
        tables: true,
        same_phone: Some(archive.digest().short()),
        ..request(&["PRELOADER"])
    };
    let why = refused(plan_for(&archive, &source(phone(1)), &everything));
    assert!(why.contains("PRELOADER is never written"), "{why}");
    let reserve = request(&["BMTPOOL"]);
    refused(plan_for(&archive, &source(phone(1)), &reserve));
}

#[test]
fn identity_and_tables_want_their_word() {
    let archive = keep(&dump(&source(phone(1))), &scratch("words"));
    let now = source(phone(1));
    for (name, word) in [
        ("NVRAM", "--identity"),
        ("pro_info", "--identity"),
        ("MBR", "--tables"),
        (TAIL, "--tables"),
    ] {
        let why = refused(plan_for(&archive, &now, &request(&[name])));
        assert!(why.contains(word), "{why}");
    }
    assert!(plan_for(&archive, &now, &request(&["UBOOT"])).is_ok());
    // Nothing is written that was not named.
    let nothing = plan_for(&archive, &now, &Request::default());
    assert!(matches!(nothing, Err(Error::Usage(_))));
    let unknown = plan_for(&archive, &now, &request(&["NOSUCH"]));
    assert!(matches!(unknown, Err(Error::Usage(why)) if why.contains("UBOOT")));
}

#[test]
fn identity_goes_to_the_same_phone_only() {
    let archive = keep(&dump(&source(phone(1))), &scratch("same"));
    // A phone of the same model with an identity of its own.
    let why = refused(plan_for(&archive, &source(phone(2)), &identity()));
    assert!(why.contains("--same-phone"), "{why}");
    // The same phone that lost it: nothing there can prove it.
    let empty = source(emptied(1));
    refused(plan_for(&archive, &empty, &identity()));
    let said = Request {
        same_phone: Some(archive.digest().short()),
        ..identity()
    };
    let plan = plan_for(&archive, &empty, &said).unwrap();
    assert_eq!(plan.phone.sameness, Sameness::Same);
    let names: Vec<&str> = plan.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["NVRAM", "PRO_INFO", "PROTECT_F"]);
    // A yes to another backup is none.
    let wrong = Request {
        same_phone: Some("0123456789abcdef".to_owned()),
        ..identity()
    };
    assert!(matches!(
        plan_for(&archive, &empty, &wrong),
        Err(Error::Usage(_))
    ));
    // NVRAM that is still the backup's proves it, for the rest.
    let mut damaged = phone(1);
    damaged[0x1000..0x4000].fill(0xFF);
    let plan = plan_for(&archive, &source(damaged), &identity()).unwrap();
    assert_eq!(plan.phone.sameness, Sameness::Same);
    assert!(plan.steps[0].is_done() && !plan.steps[1].is_done());
    assert!(!any_problem(&plan.findings));
}

#[test]
fn the_cid_decides_whatever_is_said() {
    const CID: &str = "150100483147324138a1b2c3d4e5f601";
    let with_cid = |user: Vec<u8>, cid: &str| {
        let mut dump = dump(&source(user));
        dump.phone.cid = Some(cid.to_owned());
        dump
    };
    let archive = keep(&with_cid(phone(1), CID), &scratch("cid"));
    let said = Request {
        same_phone: Some(CID.to_owned()),
        ..identity()
    };
    let planned = |dump: &Dump, request: &Request| {
        let user = source(emptied(1));
        plan(&archive, dump, &*user, request)
    };
    // Readers differ in the checksum, and in how they write digits.
    let same = CID.to_uppercase().replace("F601", "F600");
    assert!(planned(&with_cid(emptied(1), &same), &identity()).is_ok());
    let other = CID.replace("a1b2", "a1b3");
    let why = refused(planned(&with_cid(emptied(1), &other), &said));
    assert!(why.contains("another phone"), "{why}");
    // Not even firmware, and not even if all else is the same.
    let mut uboot = request(&["UBOOT"]);
    uboot.same_phone = said.same_phone.clone();
    refused(planned(&with_cid(phone(1), &other), &uboot));
}

#[test]
fn another_layout_is_another_phone() {
    let archive = keep(&dump(&source(phone(1))), &scratch("layout"));
    let now = source(phone(1));
    let uboot = request(&["UBOOT"]);
    let mut moved = dump(&now);
    moved.parts[5].place.offset = Some(0x3_1000);
    let why = refused(plan(&archive, &moved, &*now, &uboot));
    assert!(why.contains("BOOTIMG lies elsewhere"), "{why}");
    let mut larger = dump(&now);
    larger.phone.user_bytes = Some(1 << 30);
    refused(plan(&archive, &larger, &*now, &uboot));
    let mut tables = phone(1);
    tables[5] ^= 1;
    let why = refused(plan_for(&archive, &source(tables), &uboot));
    assert!(why.contains("MBR"), "{why}");
}

#[test]
fn tables_come_back_where_the_phone_has_none_left() {
    let archive = keep(&dump(&source(phone(1))), &scratch("tables"));
    let mut wiped = phone(1);
    wiped[..0x1000].fill(0);
    wiped[0x7_8000..].fill(0xFF);
    let wiped = source(wiped);
    let none = Dump {
        phone: dump(&wiped).phone,
        ..Dump::default()
    };
    let mut tables = Request {
        tables: true,
        ..Request::default()
    };
    refused(plan(&archive, &none, &*wiped, &tables));
    tables.same_phone = Some(archive.digest().short());
    let plan = plan(&archive, &none, &*wiped, &tables).unwrap();
    let places: Vec<u64> = plan.steps.iter().map(|step| step.offset).collect();
    assert_eq!(places, [0, 0x7_8000]);
    // Not over something else, though.
    let mut lying = dump(&source(phone(1)));
    lying.parts[0].place.offset = Some(0x4000);
    let lying = keep(&lying, &scratch("tables-lying"));
    tables.same_phone = Some(lying.digest().short());
    let why = refused(super::plan(&lying, &none, &*wiped, &tables));
    assert!(why.contains("MBR would write over NVRAM"), "{why}");
    // Nothing else may go where only the backup says.
    let uboot = request(&["UBOOT"]);
    refused(super::plan(&archive, &none, &*wiped, &uboot));
}

#[test]
fn a_manifest_that_lies_gets_nowhere() {
    let honest = dump(&source(phone(1)));
    // LOGO, which needs no word, with the place of NVRAM.
    let mut lying = dump(&source(phone(1)));
    lying.parts.retain(|part| part.name != "NVRAM");
    lying.parts[5].place = honest.parts[2].place;
    lying.parts[5].data = honest.parts[2].data.clone();
    assert_eq!(lying.parts[5].name, "LOGO");
    let archive = keep(&lying, &scratch("lies"));
    refused(plan_for(&archive, &source(phone(2)), &request(&["LOGO"])));
    // A phone whose own table lies about it, too.
    let now = source(phone(2));
    let mut both = dump(&now);
    both.parts[6].place = honest.parts[2].place;
    let why = refused(plan(&archive, &both, &*now, &request(&["LOGO"])));
    assert!(why.contains("would write over NVRAM"), "{why}");
}

#[test]
fn parts_without_a_place_or_cut_short() {
    let mut single = dump(&source(phone(1)));
    for part in &mut single.parts {
        part.place.offset = None;
    }
    single.parts[4].data = Arc::new(phone(1)[0x2_0000..0x2_0200].to_vec());
    single.parts[2].data = Arc::new(phone(1)[0x4000..0x4200].to_vec());
    let archive = keep(&single, &scratch("single"));
    let now = source(phone(1));
    let plan = plan_for(&archive, &now, &request(&["UBOOT"])).unwrap();
    assert_eq!(
        (plan.steps[0].offset, plan.steps[0].bytes),
        (0x2_0000, 0x200)
    );
    assert_eq!(plan.findings.len(), 1, "it is short");
    let nvram = Request {
        same_phone: Some(archive.digest().short()),
        identity: true,
        ..request(&["NVRAM"])
    };
    refused(plan_for(&archive, &now, &nvram));
}
