//! Placeholder.

use volatile_register::RO;

/// GPT4's counter.
#[cfg(target_arch = "arm")]
pub(crate) fn clock() -> &'static RO<u32> {
    // SAFETY: GPT4's count register; reading it has no effect.
    unsafe { &*((crate::base::GPT + 0x48) as *const RO<u32>) }
}
