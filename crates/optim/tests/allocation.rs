//! A step allocates nothing. Alone in its file, since the allocator counts for the whole process.

#[expect(dead_code, reason = "it holds more than is counted here")]
#[path = "optimizer/arena.rs"]
mod arena;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use arena::{arithmetics, config, muon, optimizer, settings, train, wave};
use wd_decay::DecayRule;
use wd_optim::OptimizerConfig;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are the system allocator's demands.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `System`, by `alloc` or `realloc` of this allocator.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as in `dealloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_step_allocates_nothing() {
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        // A thread gets its memory for matrix products at its first product: let every one have had
        // it. This matrix is too small to be divided among them.
        pool.broadcast(|_| {
            let (mut optimizer, length) =
                optimizer(config(muon(true), DecayRule::Decoupled), &[&[120, 250]], 0.1);
            train(&mut optimizer, &mut wave(length, 0.5, 0.0), 0..1, 0.01);
        });
        for (name, config) in arithmetics() {
            let config = OptimizerConfig { clip: Some(1.0), ..config };
            pool.install(|| {
                let (mut optimizer, length) =
                    optimizer(config, &[&[120, 600], &[70_001], &[5], &[520, 60]], 0.1);
                let mut weights = wave(length, 0.5, 0.0);
                train(&mut optimizer, &mut weights, 0..3, 0.01);
                let gradients = wave(length, 0.3, 5.0);
                let before = ALLOCATIONS.load(Ordering::Relaxed);
                for _ in 0..3 {
                    optimizer.step(&mut weights, &gradients, settings(0.01, 0.02)).unwrap();
                }
                let during = ALLOCATIONS.load(Ordering::Relaxed) - before;
                assert_eq!(during, 0, "{name}, {threads} threads");
            });
        }
    }
}
