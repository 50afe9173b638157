//! What the tasks share with each other and with the main line.

use core::cell::{Ref, RefCell, RefMut};

/// A [`RefCell`] whose uses do not each carry their place in the source along:
/// there are a hundred, and nobody borrows over a wait.
pub struct Shared<T>(RefCell<T>);

impl<T> Shared<T> {
    pub const fn new(value: T) -> Self {
        Self(RefCell::new(value))
    }

    #[inline(never)]
    pub fn borrow(&self) -> Ref<'_, T> {
        self.0.borrow()
    }

    #[inline(never)]
    pub fn borrow_mut(&self) -> RefMut<'_, T> {
        self.0.borrow_mut()
    }
}

impl<T: Default> Shared<T> {
    pub fn take(&self) -> T {
        self.0.take()
    }
}
