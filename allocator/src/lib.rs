//! An allocator that leaves nothing of a freed block behind. It is a package of its own because it
//! has the only unsafe code.
//!
//! A small block is wiped when it is freed. A large one comes from the system and is returned to it,
//! and the system wipes its pages before anyone gets them. Wiping it here would touch every page that
//! was only reserved, which takes seconds if a peer has announced large messages.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use zeroizing_alloc::ZeroAlloc;

/// Minimum size in bytes of a block that comes from the system.
const BIG: usize = 1 << 20;
/// Largest alignment that every page has.
const PAGE: usize = 4096;

/// The allocator.
pub struct WipingAllocator;

fn is_big(layout: Layout) -> bool {
    layout.size() >= BIG && layout.align() <= PAGE
}

// SAFETY: each layout goes to the same of the two ways when it is allocated and when it is freed.
// A mapping is as large as the layout, readable and writable, aligned to a page, and aliased by
// nothing. `realloc` is the trait's own, which allocates, copies and frees.
unsafe impl GlobalAlloc for WipingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !is_big(layout) {
            // SAFETY: the caller's promises are those that the inner allocator asks for.
            return unsafe { ZeroAlloc(System).alloc(layout) };
        }
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping wherever the system likes touches no memory that is in use.
        let mapped =
            unsafe { mmap_anonymous(ptr::null_mut(), layout.size(), access, MapFlags::PRIVATE) };
        mapped.map_or(ptr::null_mut(), <*mut _>::cast)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_big(layout) {
            // SAFETY: as above; the pages of a new mapping are zero.
            unsafe { self.alloc(layout) }
        } else {
            // SAFETY: the caller's promises are those that the inner allocator asks for.
            unsafe { ZeroAlloc(System).alloc_zeroed(layout) }
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_big(layout) {
            // SAFETY: the block is a mapping of this size, which nobody uses any more.
            let _ = unsafe { munmap(block.cast(), layout.size()) };
        } else {
            // SAFETY: the caller's promises are those that the inner allocator asks for.
            unsafe { ZeroAlloc(System).dealloc(block, layout) }
        }
    }
}
