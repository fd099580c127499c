//! Damaged Parquet files of images end in a set or in an error, never in a panic.
//!
//! Apart from the other formats, since here memory goes by the word of a page's header: the library
//! reserves, though it does not touch, up to the 2 GiB that a page may hold.

use std::path::Path;

use proptest::prelude::*;
use wd_data::images::ImageSet;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn damaged_parquet(
        which in 0usize..2,
        replaced in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let name = ["train-00000-of-00001.parquet", "plain.parquet"][which];
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/images");
        let mut bytes = std::fs::read(source.join(name)).unwrap();
        for (number, (at, byte)) in replaced.iter().enumerate() {
            // The description of the file stands at its end.
            let start = if number % 2 == 0 { bytes.len() / 2 } else { 0 };
            let at = start + at.index(bytes.len() - start);
            bytes[at] = *byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images.parquet");
        std::fs::write(&path, bytes).unwrap();
        match ImageSet::open(&path) {
            Ok(set) => prop_assert!((0..set.len()).all(|index| (set.label(index) as usize) < set.classes())),
            Err(error) => prop_assert!(error.to_string().contains("images.parquet")),
        }
    }
}

/// One changed byte on which the library panics.
#[test]
fn a_panic_of_the_library_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = "tests/golden/damaged/image-dictionary-panic.parquet";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    for name in ["train.parquet", "test.parquet"] {
        std::fs::copy(&file, folder.path().join(name)).unwrap();
    }
    let error = ImageSet::open(folder.path()).unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
}
