//! Values as PyTorch reads them: dtypes × layouts × writers, equal to the bit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use wd_audit::checkpoint::{self, Checkpoint, ReadOptions};

/// A tensor as PyTorch reads it.
#[derive(Deserialize)]
struct Expected {
    dtype: String,
    shape: Vec<usize>,
    /// Elements as bits of f64 in hexadecimal, or `nan`; none for complex numbers.
    bits: Option<String>,
}

type Corpus = BTreeMap<String, BTreeMap<String, Expected>>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/corpus")
}

fn corpus() -> Corpus {
    let text = std::fs::read_to_string(folder().join("corpus.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn read(file: &str) -> Checkpoint {
    let found = checkpoint::find(&folder().join(file), &ReadOptions::default()).unwrap();
    assert_eq!(found.checkpoints.len(), 1, "{file}");
    found.checkpoints.into_iter().next().unwrap()
}

fn spelled(value: f64) -> String {
    match value.is_nan() {
        true => "nan".to_owned(),
        false => format!("{:016x}", value.to_bits()),
    }
}

/// What differs between a tensor and what PyTorch reads.
fn difference(checkpoint: &Checkpoint, name: &str, expected: &Expected) -> Option<String> {
    let Some(tensor) = checkpoint.tensor(name) else { return Some("is missing".to_owned()) };
    if tensor.dtype().to_string() != expected.dtype {
        return Some(format!("is {} and not {}", tensor.dtype(), expected.dtype));
    }
    if tensor.shape() != expected.shape {
        return Some(format!("has shape {:?} and not {:?}", tensor.shape(), expected.shape));
    }
    let values = tensor.to_f64().map(|all| all.into_iter().map(spelled).collect::<Vec<_>>());
    let wanted = expected.bits.as_ref().map(|bits| bits.split_whitespace().collect::<Vec<_>>());
    match (values, wanted) {
        (None, None) => None,
        (Some(values), Some(wanted)) if values == wanted => None,
        (values, wanted) => Some(format!("holds {values:?} and not {wanted:?}")),
    }
}

#[test]
fn every_element_of_every_file_has_the_bits_that_pytorch_reads() {
    let corpus = corpus();
    let mut wrong = Vec::new();
    for (file, tensors) in &corpus {
        let checkpoint = read(file);
        for (name, expected) in tensors {
            if let Some(difference) = difference(&checkpoint, name, expected) {
                wrong.push(format!("{file}: `{name}` {difference}"));
            }
        }
        let extra = checkpoint.model.iter().filter(|one| !tensors.contains_key(&one.name));
        wrong.extend(extra.map(|one| format!("{file}: `{}` is not in the corpus", one.name)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_corpus_holds_every_dtype_layout_and_writer() {
    let corpus = corpus();
    let names: Vec<&String> = corpus.values().flat_map(BTreeMap::keys).collect();
    for dtype in ["bool", "uint64", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"] {
        assert!(names.iter().any(|name| name.starts_with(dtype)), "{dtype}");
    }
    for layout in ["transposed", "expanded", "sliced", "scalar", "empty", "shared", "tied"] {
        assert!(names.iter().filter(|name| name.ends_with(layout)).count() >= 16, "{layout}");
    }
    for writer in ["legacy.pt", "no-crc32.pt", "protocol-4.pt", "distributed", "bool.safetensors"] {
        assert!(corpus.contains_key(writer), "{writer}");
    }
}

#[test]
fn a_view_into_a_shared_storage_is_told_from_a_copy() {
    let checkpoint = read("zip-float32.pt");
    let tensor = |name| checkpoint.tensor(name).unwrap();
    let whole = tensor("float32.contiguous");
    assert!(whole.is_same_view(tensor("float32.tied")));
    assert!(!whole.is_same_view(tensor("float32.shared")));
    assert!(!whole.is_same_view(tensor("float32.transposed")));
    assert_eq!(tensor("float32.transposed").strides(), [1, 6]);
    assert_eq!(tensor("float32.expanded").strides(), [1, 0]);
}
