//! The heap: 60 KiB for what is large and short-lived, such as the first bytes
//! of a kernel while it is judged. Images, trees and logs never live here.

use linked_list_allocator::Heap;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::NonNull;

use crate::map;

struct State {
    heap: Heap,
    /// The most that was in use, in bytes.
    peak: usize,
}

struct LocalHeap(UnsafeCell<State>);

// SAFETY: one core, interrupts masked: nobody can be inside twice.
unsafe impl Sync for LocalHeap {}

#[global_allocator]
static HEAP: LocalHeap = LocalHeap(UnsafeCell::new(State {
    heap: Heap::empty(),
    peak: 0,
}));

// SAFETY: `linked_list_allocator` hands out disjoint, aligned pieces of the
// region that `init` gave it, and a null pointer when there is none.
unsafe impl GlobalAlloc for LocalHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: see `Sync`.
        let State { heap, peak } = unsafe { &mut *self.0.get() };
        let piece = heap.allocate_first_fit(layout);
        *peak = heap.used().max(*peak);
        piece.map_or(core::ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if let Some(pointer) = NonNull::new(pointer) {
            // SAFETY: see `Sync`; the caller got `pointer` from `alloc` with
            // this layout.
            unsafe { (*self.0.get()).heap.deallocate(pointer, layout) };
        }
    }
}

/// Gives the heap its memory. Once, before the first allocation.
pub fn init() {
    let region = map::heap();
    // SAFETY: the linker script reserves this region for the heap alone, and
    // the caller keeps the promise above.
    unsafe {
        (*HEAP.0.get()).heap.init(
            region.start as *mut u8,
            (region.end - region.start) as usize,
        );
    };
}

/// The most that was in use, in bytes, for the memory table of the log.
pub fn peak() -> usize {
    // SAFETY: see `Sync`; a plain read.
    unsafe { (*HEAP.0.get()).peak }
}
