//! Safe writes to the registers of a block that a driver already owns.
//!
//! `volatile-register` marks every write unsafe, because a register could be
//! a DMA address. In this crate the danger is taken once, where
//! `Peripherals` hands a block to its driver; a block whose
//! registers can write memory on their own (MSDC) keeps its own rules and
//! does not use this module. The display only reads.

use volatile_register::{RW, WO};

/// Write access for blocks that never write memory.
pub(crate) trait Write<T: Copy> {
    /// Writes the register.
    fn put(&self, value: T);
}

impl<T: Copy> Write<T> for RW<T> {
    #[inline]
    fn put(&self, value: T) {
        // SAFETY: the driver owns the block that this register is part of,
        // and no register of these blocks makes the hardware write memory.
        unsafe { self.write(value) }
        #[cfg(test)]
        crate::time::clock::play();
    }
}

impl<T: Copy> Write<T> for WO<T> {
    #[inline]
    fn put(&self, value: T) {
        // SAFETY: as above.
        unsafe { self.write(value) }
        #[cfg(test)]
        crate::time::clock::play();
    }
}

/// Read-modify-write, for registers without SET and CLR aliases.
pub(crate) trait Update<T: Copy>: Write<T> {
    /// Replaces the value by `change(value)`.
    fn update(&self, change: impl FnOnce(T) -> T);
}

impl<T: Copy> Update<T> for RW<T> {
    #[inline]
    fn update(&self, change: impl FnOnce(T) -> T) {
        self.put(change(self.read()));
    }
}

/// Asserts at compile time that fields of a register block sit where the
/// facts say.
macro_rules! assert_offsets {
    ($block:ty { $($field:ident : $offset:expr),+ $(,)? }) => {
        const _: () = {
            $(assert!(core::mem::offset_of!($block, $field) == $offset);)+
        };
    };
}
pub(crate) use assert_offsets;

/// A register block of zeroes that lives forever: the hardware of the tests.
#[cfg(test)]
pub(crate) fn leaked<T>() -> &'static T {
    // SAFETY: register blocks hold integers only, for which zero is valid.
    Box::leak(Box::new(unsafe { core::mem::zeroed() }))
}

/// Sets what a read-only register of a test's block reads as.
#[cfg(test)]
pub(crate) fn poke<T: Copy>(register: &volatile_register::RO<T>, value: T) {
    let cell = core::ptr::from_ref(register).cast::<T>().cast_mut();
    // SAFETY: the register is a transparent cell inside a leaked test block
    // that only this thread uses.
    unsafe { cell.write_volatile(value) }
}

/// What a driver last wrote into a write-only register.
#[cfg(test)]
pub(crate) fn peek<T: Copy>(register: &WO<T>) -> T {
    let cell = core::ptr::from_ref(register).cast::<T>();
    // SAFETY: as in `poke`.
    unsafe { cell.read_volatile() }
}
