use super::super::journal::{Journal, State, existing, next};
use super::super::restore::{execute, write_journal};
use super::*;
use std::path::Path;

/// A phone that has lost its NVRAM and has another UBOOT, a backup from better
/// days, and a journal of the restore that begins.
struct Scene {
    backup: Archive,
    journal: PathBuf,
    plan: Plan,
    before: Vec<u8>,
    after: Vec<u8>,
}

fn scene(name: &str) -> Scene {
    let path = scratch(name);
    let backup = keep(&dump(&source(phone(1))), &path);
    let mut before = phone(1);
    before[0x4000..0x1_4000].fill(0);
    let other = Random::new(77).bytes(0xC000);
    before[0x2_0000..0x2_C000].copy_from_slice(&other);
    let request = Request {
        identity: true,
        same_phone: Some(backup.digest().short()),
        ..request(&["NVRAM", "UBOOT"])
    };
    let target = Memory::new(before.clone());
    let plan = plan_for(&backup, &(target.clone() as Arc<dyn Source>), &request).unwrap();
    let journal = next(&path).unwrap();
    let kept: Arc<dyn Source> = target.clone();
    write_journal(
        &plan,
        &backup,
        &dump(&kept),
        &user(&target),
        &journal,
        &mut Silent,
    )
    .unwrap();
    assert!(target.bytes() == before, "nothing was written yet");
    Scene {
        backup,
        journal,
        plan,
        before,
        after: phone(1),
    }
}

fn states(journal: &Path, scene: &Scene, target: &Arc<Memory>) -> Vec<State> {
    let journal = open(journal);
    let user = user(target);
    let opened = Journal::open(&journal, &scene.backup, &user).unwrap();
    opened.states().map(|(_, state)| state).collect()
}

fn go_on(scene: &Scene, target: &Arc<Memory>, back: bool) -> Result<(), Error> {
    let journal = open(&scene.journal);
    let user = user(target);
    let opened = Journal::open(&journal, &scene.backup, &user)?;
    if back {
        opened.undo(&mut Silent)
    } else {
        opened.resume(true, &mut Silent)
    }
}

/// Whether only what the plan names differs from before.
fn only_planned(scene: &Scene, now: &[u8]) -> bool {
    let mut rest = now.to_vec();
    for step in &scene.plan.steps {
        let planned = step.offset as usize..(step.offset + step.bytes) as usize;
        rest[planned.clone()].copy_from_slice(&scene.before[planned]);
    }
    rest == scene.before
}

#[test]
fn all_of_it_is_written_and_nothing_else() {
    let scene = scene("complete");
    let target = Memory::new(scene.before.clone());
    execute(&scene.plan, &scene.backup, &user(&target), &mut Silent).unwrap();
    assert!(target.bytes() == scene.after);
    assert_eq!(states(&scene.journal, &scene, &target), [State::New; 2]);
    go_on(&scene, &target, true).unwrap();
    assert!(target.bytes() == scene.before);
}

#[test]
fn a_stop_at_any_byte_is_mended_both_ways() {
    let scene = scene("cuts");
    let bytes: u64 = scene.plan.steps.iter().map(|step| step.bytes).sum();
    let mut stopped = 0;
    for tear in [Tear::Byte, Tear::Rubbish, Tear::Scattered] {
        // Around the beginning byte by byte, then at odd places throughout.
        let cuts = (0..40)
            .chain((40..bytes).step_by(4093))
            .chain(bytes - 20..bytes);
        for cut in cuts {
            let target = Memory::with_power(scene.before.clone(), cut, tear);
            let result = execute(&scene.plan, &scene.backup, &user(&target), &mut Silent);
            assert!(result.is_err(), "{tear:?} {cut}");
            stopped += 1;
            let cut_off = target.bytes();
            assert!(only_planned(&scene, &cut_off), "{tear:?} {cut}");
            for back in [false, true] {
                // Stopped again while it is mended, then mended in peace.
                let again = Memory::with_power(cut_off.clone(), cut / 3, tear);
                let _ = go_on(&scene, &again, back);
                assert!(only_planned(&scene, &again.bytes()), "{tear:?} {cut}");
                again.set_power(u64::MAX);
                go_on(&scene, &again, back).unwrap();
                let wanted = if back { &scene.before } else { &scene.after };
                assert!(again.bytes() == *wanted, "{tear:?} {cut} back: {back}");
            }
        }
    }
    assert!(stopped > 200);
}

#[test]
fn a_phone_that_was_used_since_is_not_touched() {
    let scene = scene("used");
    let mut used = scene.before.clone();
    used[0x4000..0x1_4000].copy_from_slice(&Random::new(9).bytes(0x1_0000));
    let target = Memory::new(used.clone());
    assert_eq!(
        states(&scene.journal, &scene, &target),
        [State::Foreign, State::Old]
    );
    for back in [false, true] {
        let result = go_on(&scene, &target, back);
        assert!(matches!(result, Err(Error::Refused(why)) if why.contains("NVRAM")));
    }
    assert!(target.bytes() == used);
}

#[test]
fn a_wiped_phone_does_not_get_the_identity_of_another() {
    let scene = scene("wiped");
    let journal = open(&scene.journal);
    let resumed = |bytes: &[u8]| {
        let target = Memory::new(bytes.to_vec());
        let user = user(&target);
        let opened = Journal::open(&journal, &scene.backup, &user).unwrap();
        let result = opened.resume(false, &mut Silent);
        assert_eq!(target.bytes() != bytes, result.is_ok());
        result
    };
    // Its NVRAM is as blank as the one of the phone that was being restored.
    let result = resumed(&scene.before);
    assert!(matches!(result, Err(Error::Refused(why)) if why.contains("--cid")));
    // A single sector of the right one tells it.
    let mut begun = scene.before.clone();
    begun[0x4000..0x4200].copy_from_slice(&scene.after[0x4000..0x4200]);
    resumed(&begun).unwrap();
}

#[test]
fn a_journal_of_something_else_is_refused() {
    let scene = scene("else");
    let other = keep(&dump(&source(phone(3))), &scratch("else-other"));
    let target = Memory::new(scene.before.clone());
    let user_area = user(&target);
    let journal = open(&scene.journal);
    let opened = Journal::open(&journal, &other, &user_area);
    assert!(matches!(opened, Err(Error::Refused(_))));
    let no_journal = Journal::open(&scene.backup, &scene.backup, &user_area);
    assert!(matches!(no_journal, Err(Error::Refused(_))));
    let smaller = Memory::new(scene.before[..USER_BYTES - 512].to_vec());
    let user_area = user(&smaller);
    let opened = Journal::open(&journal, &scene.backup, &user_area);
    assert!(matches!(opened, Err(Error::Refused(_))));
}

/// A medium that says it wrote, and did not.
struct Lying(Arc<Memory>);

impl Source for Lying {
    fn len(&self) -> u64 {
        Source::len(&*self.0)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, out)
    }
}

impl Target for Lying {
    fn write_at(&self, _offset: u64, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_does_not_read_back_is_told() {
    let scene = scene("lying");
    let user = User {
        target: Arc::new(Lying(Memory::new(scene.before.clone()))),
        start: 0,
    };
    let result = execute(&scene.plan, &scene.backup, &user, &mut Silent);
    assert!(matches!(result, Err(Error::ReadBack(name)) if name == "NVRAM"));
}

#[test]
fn journals_are_numbered() {
    let scene = scene("numbers");
    let backup = scene.journal.with_file_name("phone.tar");
    assert_eq!(existing(&backup), std::slice::from_ref(&scene.journal));
    let second = next(&backup).unwrap();
    assert!(second.ends_with("phone.tar.undo-2.tar"), "{second:?}");
}

#[test]
fn in_a_linear_dump_the_user_area_does_not_begin_at_0() {
    let scene = scene("linear");
    let mut linear = vec![0xEE; 0x6000];
    linear.extend(&scene.before);
    let target = Memory::new(linear);
    let user = User {
        target: target.clone(),
        start: 0x6000,
    };
    execute(&scene.plan, &scene.backup, &user, &mut Silent).unwrap();
    let now = target.bytes();
    assert!(now[..0x6000].iter().all(|&byte| byte == 0xEE));
    assert!(now[0x6000..] == scene.after);
}
