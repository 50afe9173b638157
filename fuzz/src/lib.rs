//! Hostile input for every parser that sees bytes from outside.
//!
//! A [`Target`] is one parser: what it is called with, and seeds to begin from,
//! all made here. `cargo xtask fuzz` gives them to LLVM's fuzzer, which
//! watches time and memory too; the tests of this crate give each of them some
//! thousand mutations on every run, the same on every machine.

pub mod host;
pub mod phone;
pub mod seeds;

/// One parser.
#[derive(Clone, Copy)]
pub struct Target {
    /// Name of the file in `fuzz_targets`.
    pub name: &'static str,
    /// Calls the parser: has to return, whatever the bytes.
    pub run: fn(&[u8]),
    /// Inputs that the parser takes.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub fn targets() -> Vec<Target> {
    [phone::TARGETS, host::TARGETS].concat()
}

/// The target called `name`.
///
/// # Panics
/// There is none: `fuzz_targets` and [`targets`] disagree.
pub fn run(name: &str, data: &[u8]) {
    let mut all = phone::TARGETS.iter().chain(host::TARGETS);
    let target = all.find(|target| target.name == name);
    let target = target.unwrap_or_else(|| panic!("no target {name}"));
    (target.run)(data);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use unilk::mutate;

    const ROUNDS: u64 = 1500;

    #[test]
    fn every_parser_returns_whatever_the_bytes() {
        for target in targets() {
            let seeds = (target.seeds)();
            assert!(!seeds.is_empty(), "{} has no seeds", target.name);
            for (index, seed) in seeds.iter().enumerate() {
                (target.run)(seed);
                // Large ones cost more, and have no more fields.
                let rounds = ROUNDS * 2000 / (2000 + seed.len() as u64);
                let mut round = 0;
                mutate::each(seed, rounds.max(20), |data| {
                    round += 1;
                    let ran = std::panic::catch_unwind(|| (target.run)(data));
                    assert!(ran.is_ok(), "{}: seed {index}, round {round}", target.name);
                });
            }
            (target.run)(&[]);
        }
    }

    #[test]
    fn the_seed_of_an_lk_has_a_driver() {
        let [seed] = &seeds::stock_lks()[..] else {
            panic!("one seed");
        };
        let image = unilk_learn::image::Image::open(seed).unwrap();
        let found = unilk_learn::drivers::find(&image);
        assert!(!found.listed.is_empty() || !found.others.is_empty());
    }

    #[test]
    fn each_target_has_its_file_and_each_file_its_target() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz_targets");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                entry
                    .unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        let mut names: Vec<String> = targets().iter().map(|t| t.name.to_owned()).collect();
        files.sort();
        names.sort();
        assert_eq!(files, names);
        for name in &names {
            let text = std::fs::read_to_string(format!("{folder}/{name}.rs")).unwrap();
            assert!(
                text.contains(&format!("\"{name}\"")),
                "{name}.rs calls another"
            );
        }
    }
}
