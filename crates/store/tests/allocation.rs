//! Appending a row allocates nothing. Alone in its binary: it counts what the whole process
//! allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use wd_store::{Column, RunDirectory};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes unchanged to the system's allocator; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn appending_and_flushing_allocate_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let run = RunDirectory::create_or_open(parent.path()).unwrap();
    let mut columns = vec![Column::f64("step")];
    columns.extend((0..200).map(|at| Column::f32(format!("c{at}"))));
    let lock = run.lock().unwrap();
    let mut writer = lock.metrics_writer(&columns, 0).unwrap();
    writer.set_buffering(5, Duration::from_secs(3600));
    let mut row = vec![0.5; columns.len()];
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for step in 1..=1000 {
        row[0] = f64::from(step);
        writer.append(&row).unwrap();
    }
    writer.flush().unwrap();
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - before, 0);
    assert_eq!(run.metrics().unwrap().rows(), 1000);
}
