//! LLVM's fuzzer on this target (see `unilk_fuzz`).
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| unilk_fuzz::run("host_stock_lk", data));
