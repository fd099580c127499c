//! A step of training must not allocate: neither may the loader, not even where an epoch ends.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use wd_data::images::{Augmentation, ImageLoader, ImageLoaderConfig, ImageSet, Normalisation};
use wd_data::text::{
    Corpus, Loader, LoaderConfig, Order, PrepareOptions, Split, TokenizerSpec, prepare,
};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller meets the conditions of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above with the same layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn reading_batches_allocates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("a.txt"), folder.path().join("corpus"));
    std::fs::write(&input, "The quick brown fox jumps over the lazy dog.\n".repeat(50)).unwrap();
    let options = PrepareOptions { separator: Some("\n".to_owned()), force: false };
    prepare(&[input], &TokenizerSpec::Bytes, &out, &options, &mut |_| {}).unwrap();
    let corpus = Corpus::open(&out).unwrap();
    let split = Split::new(&corpus, 0.1, 0).unwrap();
    let config =
        LoaderConfig { context: 16, sequences: 8, order: Order::Shuffled, seed: 0, epochs: 3 };
    let mut loader = Loader::new(corpus, split, config).unwrap();
    let (mut inputs, mut targets) = (vec![0; 128], vec![0; 128]);

    let before = ALLOCATIONS.with(Cell::get);
    for _ in 0..loader.steps_available() {
        loader.next(&mut inputs, &mut targets).unwrap();
    }
    loader.validation(0, &mut inputs[..16], &mut targets[..16]).unwrap();
    loader.seen(0, &mut inputs[..16], &mut targets[..16]).unwrap();
    assert_eq!(ALLOCATIONS.with(Cell::get), before);
    // The counter counts.
    drop(vec![0u8; 10]);
    assert!(ALLOCATIONS.with(Cell::get) > before);
}

#[test]
fn taking_batches_of_images_allocates_nothing() {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora/images/fashion-mnist");
    let set = std::sync::Arc::new(ImageSet::open(&folder).unwrap());
    let indices: Vec<u32> = (0..400).collect();
    let normalisation = Normalisation::of(&set, &indices).unwrap();
    let augmentation = Augmentation { crop: 2, flip: true, mixup: 0.2, cutout: 4 };
    let config = ImageLoaderConfig { batch: 32, seed: 0, epochs: 4, keep_short_batch: true };
    let mut loader = ImageLoader::new(set, indices, normalisation, augmentation, config).unwrap();
    // The channel makes its list of waiting threads when it first waits.
    for _ in 0..3 {
        loader.next().unwrap();
    }
    let before = ALLOCATIONS.with(Cell::get);
    for _ in 3..loader.steps_available() {
        loader.next().unwrap();
    }
    assert_eq!(ALLOCATIONS.with(Cell::get), before);
}
