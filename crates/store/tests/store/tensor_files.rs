//! Safetensors files, against the reference implementations and damaged.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use safetensors::{Dtype, SafeTensors, serialize_to_file, tensor::TensorView};
use wd_store::{StoreError, read_safetensors, write_safetensors};

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// tests/golden/mixed_dtypes.py: written by PyTorch, expected bits by PyTorch's `.float()`.
#[test]
fn every_float_type_reads_as_pytorch_reads_it() {
    #[derive(serde::Deserialize)]
    struct Expected {
        shape: Vec<usize>,
        bits: Vec<i32>,
    }
    let expected: BTreeMap<String, Expected> =
        serde_json::from_slice(&fs::read(golden("expected.json")).unwrap()).unwrap();
    let tensors = read_safetensors(golden("mixed_dtypes.safetensors")).unwrap();
    assert_eq!(tensors.len(), expected.len());
    for (name, shape, data) in tensors {
        assert_eq!(shape, expected[&name].shape, "{name}");
        let bits: Vec<i32> = data.iter().map(|value| value.to_bits() as i32).collect();
        assert_eq!(bits, expected[&name].bits, "{name}");
    }
}

#[test]
fn integers_are_refused_by_name() {
    let error = read_safetensors(golden("integers.safetensors")).unwrap_err();
    assert!(
        matches!(&error, StoreError::UnsupportedDtype { name, dtype, .. } if name == "ids" && dtype == "I64"),
        "{error}"
    );
}

#[test]
fn a_counter_is_read() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("model.safetensors");
    let bytes = 12_345_i64.to_le_bytes();
    let counter = TensorView::new(Dtype::I64, Vec::new(), &bytes).unwrap();
    serialize_to_file([("bn1.num_batches_tracked", counter)], None, &path).unwrap();
    assert_eq!(
        read_safetensors(&path).unwrap(),
        [("bn1.num_batches_tracked".to_owned(), Vec::new(), vec![12_345.0])]
    );
}

#[test]
fn the_reference_implementation_reads_what_is_written() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("model.safetensors");
    // Longer than one chunk, and names that JSON must escape.
    let long: Vec<f32> = (0..100_000).map(|at| at as f32 * 0.37).collect();
    write_safetensors(
        &path,
        &[("z \"quoted\"", &[250, 400], &long), ("a", &[], &[7.0]), ("m", &[2], &[1.0, 2.0])],
    )
    .unwrap();
    let bytes = fs::read(&path).unwrap();
    let reference = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(reference.len(), 3);
    let z = reference.tensor("z \"quoted\"").unwrap();
    assert_eq!((z.dtype(), z.shape()), (safetensors::Dtype::F32, &[250, 400][..]));
    assert!(
        z.data().iter().eq(long
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect::<Vec<_>>()
            .iter())
    );
    assert_eq!(reference.tensor("a").unwrap().data(), 7.0_f32.to_le_bytes());
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(metadata.metadata().as_ref().unwrap()["format"], "pt");
    // In the order given, and back again.
    let names: Vec<String> =
        read_safetensors(&path).unwrap().into_iter().map(|(name, _, _)| name).collect();
    assert_eq!(names, ["z \"quoted\"", "a", "m"]);
    assert_eq!(read_safetensors(&path).unwrap()[0].2, long);
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
}

#[test]
fn a_file_cut_at_any_length_is_an_error() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("cut.safetensors");
    let whole = fs::read(golden("mixed_dtypes.safetensors")).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let error = read_safetensors(&path).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{length}: {error}");
    }
    assert!(matches!(
        read_safetensors(parent.path().join("none")),
        Err(StoreError::Missing { .. })
    ));
    assert!(matches!(
        read_safetensors(parent.path()),
        Err(StoreError::Io { .. } | StoreError::Damaged { .. })
    ));
}

/// Headers that ask for much memory, overlap, overflow or lie about the length.
#[test]
fn hostile_headers_are_errors() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("hostile.safetensors");
    let headers = [
        r#"{"w":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}"#,
        r#"{"w":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}"#,
        r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
        r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
        r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#,
        r#"{"w":{"dtype":"F32","shape":[18446744073709551615,18446744073709551615],"data_offsets":[0,4]}}"#,
        r#"{"w":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}"#,
        r#"[]"#,
        "",
    ];
    for header in headers {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(&[0; 4]);
        fs::write(&path, &bytes).unwrap();
        assert!(read_safetensors(&path).is_err(), "{header}");
    }
    for length in [u64::MAX, u64::MAX - 7, 100_000_001, 9] {
        fs::write(&path, [length.to_le_bytes(), [0; 8]].concat()).unwrap();
        assert!(read_safetensors(&path).is_err(), "{length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn changed_bytes_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut bytes = fs::read(golden("mixed_dtypes.safetensors")).unwrap();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        fs::write(file.path(), &bytes).unwrap();
        // What the reference reads, this reads (as far as it holds floats), and what it refuses,
        // this refuses.
        let ours = read_safetensors(file.path());
        let theirs = SafeTensors::deserialize(&bytes);
        match (&ours, &theirs) {
            (Ok(tensors), Ok(reference)) => prop_assert_eq!(tensors.len(), reference.len()),
            (Err(StoreError::UnsupportedDtype { .. }), Ok(_)) | (Err(_), Err(_)) => {}
            _ => prop_assert!(false, "ours {:?}, theirs {:?}", ours.map(|_| ()), theirs.map(|_| ())),
        }
    }
}
