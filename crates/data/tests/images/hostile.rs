//! Damaged files end in a set or in an error: never in a panic, nor in memory by the word of a
//! header.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use wd_data::images::{ImageSet, Part};

use super::support::{cifar, folder, golden_folder, gzip, idx};

/// The largest piece of memory that anything in these tests asked for.
static LARGEST: AtomicUsize = AtomicUsize::new(0);

struct Watching;

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller meets the conditions of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above with the same layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

/// Four times the largest image accepted, which a decoder may use; no test here holds a larger set.
const MOST: usize = 4 * 3 * 1024 * 1024 + 4096;

/// Opens what may be damaged; what comes out must be whole.
fn survive(path: &Path) {
    for part in [Part::Train, Part::Test] {
        match ImageSet::open_part(path, part) {
            Ok(set) => {
                let (height, width, channels) = set.shape();
                for index in 0..set.len() {
                    assert!((set.label(index) as usize) < set.classes());
                    assert_eq!(set.pixels(index).len(), height * width * channels);
                }
            }
            Err(error) => assert!(error.to_string().len() > 20),
        }
    }
}

/// Some bytes replaced, perhaps an end cut off.
type Damage = (Vec<(prop::sample::Index, u8)>, Option<prop::sample::Index>);

fn damage() -> impl Strategy<Value = Damage> {
    let bytes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5);
    (bytes, prop::option::of(any::<prop::sample::Index>()))
}

fn damaged(mut bytes: Vec<u8>, (replaced, cut): &Damage, header: usize) -> Vec<u8> {
    for (number, (at, byte)) in replaced.iter().enumerate() {
        // Every other one where it hurts most.
        let range = if number % 2 == 0 { bytes.len().min(header) } else { bytes.len() };
        let at = at.index(range);
        bytes[at] = *byte;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut.index(bytes.len()));
    }
    bytes
}

/// Any, or one that is accepted.
fn side() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), 0u32..1100]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn idx_files(images in damage(), labels in damage(), compressed: bool) {
        let (image_file, label_file) = idx(&[0, 1, 2, 1, 0], 4, 3);
        let pack = |bytes: Vec<u8>, damage: &Damage| match compressed {
            true => damaged(gzip(&bytes), damage, 20),
            false => damaged(bytes, damage, 16),
        };
        let root = folder(&[
            ("train-images-idx3-ubyte", &pack(image_file, &images)),
            ("train-labels-idx1-ubyte", &pack(label_file, &labels)),
        ]);
        survive(root.path());
        prop_assert!(LARGEST.load(Ordering::Relaxed) <= MOST);
    }

    #[test]
    fn any_header_of_idx(numbers in any::<[u32; 4]>(), same: bool) {
        let mut images = vec![0, 0, 8, 3];
        images.extend(numbers[..3].iter().flat_map(|number| number.to_be_bytes()));
        let mut labels = vec![0, 0, 8, 1];
        labels.extend(numbers[if same { 0 } else { 3 }].to_be_bytes());
        let root = folder(&[("train-images-idx3-ubyte", &images), ("train-labels-idx1-ubyte", &labels)]);
        survive(root.path());
        prop_assert!(LARGEST.load(Ordering::Relaxed) <= MOST);
    }

    #[test]
    fn cifar_files(damage in damage(), hundred: bool) {
        let (name, bytes) = match hundred {
            true => ("train.bin", cifar(&[&[0, 5], &[19, 99]])),
            false => ("test_batch.bin", cifar(&[&[5], &[9]])),
        };
        let root = folder(&[(name, &damaged(bytes, &damage, 1))]);
        survive(root.path());
        prop_assert!(LARGEST.load(Ordering::Relaxed) <= MOST);
    }

    #[test]
    fn png_and_jpeg_files(damage in damage(), which in 0usize..9) {
        let names = [
            "alpha.png", "bilevel.png", "colour.jpg", "colour.png", "deep.png",
            "grey.jpg", "grey.png", "palette.png", "progressive.jpg",
        ];
        let bytes = fs::read(golden_folder().join(names[which])).unwrap();
        let root = folder(&[("a/0.png", &bytes), ("b/0.png", &damaged(bytes.clone(), &damage, 200))]);
        survive(root.path());
        prop_assert!(LARGEST.load(Ordering::Relaxed) <= MOST);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), which in 0usize..5) {
        let name = ["train-images-idx3-ubyte", "train.bin", "test_batch.bin", "train.parquet", "a/0.png"][which];
        let root = folder(&[(name, &bytes), ("train-labels-idx1-ubyte", &bytes)]);
        survive(root.path());
        prop_assert!(LARGEST.load(Ordering::Relaxed) <= MOST);
    }

    /// A checksum of PNG stops most damage: here it is mended, so that the header itself is
    /// believed.
    #[test]
    fn any_size_of_png(width in side(), height in side()) {
        let mut bytes = fs::read(golden_folder().join("colour.png")).unwrap();
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let mut crc = flate2::Crc::new();
        crc.update(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
        let root = folder(&[("a/0.png", &bytes), ("b/0.png", &bytes)]);
        survive(root.path());
        prop_assert!(LARGEST.load(Ordering::Relaxed) <= MOST);
    }
}
