//! Another reader of PyTorch's files, written by others, sees the same numbers.

use std::path::{Path, PathBuf};

use pytorch_reader::{DType, PytorchReader};
use wd_audit::checkpoint::{Checkpoint, ReadOptions, find};

fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files")
}

/// Little-endian bytes as numbers.
fn numbers(bytes: &[u8], dtype: DType) -> Vec<f64> {
    macro_rules! all {
        ($type:ty, $convert:expr) => {
            bytes
                .chunks_exact(size_of::<$type>())
                .map(|raw| $convert(<$type>::from_le_bytes(raw.try_into().unwrap())))
                .collect()
        };
    }
    match dtype {
        DType::F64 => all!(f64, |x| x),
        DType::F32 => all!(f32, f64::from),
        DType::F16 => all!(u16, |x| half::f16::from_bits(x).to_f64()),
        DType::BF16 => all!(u16, |x| half::bf16::from_bits(x).to_f64()),
        DType::I64 => all!(i64, |x| x as f64),
        DType::I32 => all!(i32, f64::from),
        DType::I16 => all!(i16, f64::from),
        DType::I8 => all!(i8, f64::from),
        DType::U8 | DType::Bool => all!(u8, f64::from),
        DType::U64 => all!(u64, |x| x as f64),
        DType::U32 => all!(u32, f64::from),
        DType::U16 => all!(u16, f64::from),
    }
}

fn agree(path: &Path, oracle: &PytorchReader, ours: &Checkpoint) {
    let name = path.display();
    assert_eq!(oracle.tensors().len(), ours.model.len(), "{name}");
    for tensor in oracle.tensors().values() {
        let mine = ours.tensor(&tensor.name);
        let mine = mine.unwrap_or_else(|| panic!("{name} has {} for others", tensor.name));
        let shape: Vec<usize> = tensor.shape().iter().map(|&size| size as usize).collect();
        assert_eq!(mine.shape(), shape, "{name} {}", tensor.name);
        let theirs = numbers(&tensor.read().unwrap(), tensor.dtype());
        let mine = mine.to_f64().unwrap();
        let same = mine.iter().map(|x| x.to_bits()).eq(theirs.iter().map(|x| x.to_bits()));
        assert!(same, "{name} {}", tensor.name);
    }
}

fn ours(path: &Path) -> Checkpoint {
    find(path, &ReadOptions::default()).unwrap().checkpoints.remove(0)
}

#[test]
fn models_under_a_key_agree() {
    for (name, key) in [
        ("torch-2.15/adamw.pt", Some("model")),
        ("forensics/lm-1500.pt", Some("model")),
        ("forensics/lm-1501.pt", Some("model")),
        ("facenet-pnet.pt", None),
        ("lpips-alex.pth", None),
    ] {
        let path = files().join(name);
        let oracle = match key {
            Some(key) => PytorchReader::with_top_level_key(&path, key).unwrap(),
            None => PytorchReader::new(&path).unwrap(),
        };
        agree(&path, &oracle, &ours(&path));
    }
}

/// The oracle's own test files, where they are.
#[test]
fn the_files_of_the_other_reader_agree() {
    let mut compared = 0;
    for entry in std::fs::read_dir(files().join("pytorch-reader")).unwrap() {
        let path = entry.unwrap().path();
        let is_file = path.extension().is_some_and(|ending| ending == "pt" || ending == "pth");
        if !is_file {
            continue;
        }
        let Ok(oracle) = PytorchReader::new(&path) else { continue };
        agree(&path, &oracle, &ours(&path));
        compared += 1;
    }
    assert!(compared >= 5, "{compared} files were compared");
}
