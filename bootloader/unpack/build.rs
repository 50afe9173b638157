//! Gives the linker the script that places the unpacker.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
        println!("cargo::rustc-link-arg-bins=-T{root}/../../linker/unpack.ld");
        println!("cargo::rerun-if-changed=../../linker/unpack.ld");
    }
}
