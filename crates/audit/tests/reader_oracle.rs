//! Another reader of PyTorch's files, written by others, sees the same numbers.

use std::path::{Path, PathBuf};

use pytorch_reader::{DType, PytorchReader};
use wd_audit::bytes::{Access, Bytes};
use wd_audit::checkpoint::{ReadOptions, find};
use wd_audit::file::torch_legacy;
use wd_audit::file::torch_zip::TorchZip;
use wd_audit::file::zip::is_zip;
use wd_audit::limits::Limits;
use wd_audit::tensor::Tensor;

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

fn agree(path: &Path, oracle: &PytorchReader, ours: &[(String, Tensor)]) {
    let name = path.display();
    assert_eq!(oracle.tensors().len(), ours.len(), "{name}");
    for tensor in oracle.tensors().values() {
        let mine = ours.iter().find(|(name, _)| *name == tensor.name);
        let (_, mine) = mine.unwrap_or_else(|| panic!("{name} has {} for others", tensor.name));
        let shape: Vec<usize> = tensor.shape().iter().map(|&size| size as usize).collect();
        assert_eq!(mine.shape(), shape, "{name} {}", tensor.name);
        let theirs = numbers(&tensor.read().unwrap(), tensor.dtype());
        let mine = mine.to_f64().unwrap();
        let same = mine.iter().map(|x| x.to_bits()).eq(theirs.iter().map(|x| x.to_bits()));
        assert!(same, "{name} {}", tensor.name);
    }
}

/// Every tensor of a file, below dictionaries alone, under its keys.
fn all(path: &Path) -> Vec<(String, Tensor)> {
    let bytes = Bytes::open(path, Access::Map).unwrap();
    let pickle = match is_zip(&bytes) {
        true => TorchZip::read(&bytes, Limits::DEFAULT, true).unwrap().pickle,
        false => torch_legacy::read(&bytes, Limits::DEFAULT).unwrap().0,
    };
    let (mut found, mut left) = (Vec::new(), vec![(String::new(), pickle.root())]);
    while let Some((name, object)) = left.pop() {
        if let Some(tensor) = object.tensor() {
            found.push((name, tensor.unwrap()));
            continue;
        }
        for (key, value) in object.items() {
            let key = key.text().map_or_else(|| key.integer().unwrap().to_string(), str::to_owned);
            left.push((if name.is_empty() { key } else { format!("{name}.{key}") }, value));
        }
    }
    found
}

fn model(path: &Path) -> Vec<(String, Tensor)> {
    let checkpoint = find(path, &ReadOptions::default()).unwrap().checkpoints.remove(0);
    checkpoint.model.into_iter().map(|named| (named.name, named.tensor)).collect()
}

#[test]
fn models_under_a_key_agree() {
    for (name, key) in [
        ("torch-2.15/adamw.pt", Some("model")),
        ("../../../../corpora/checkpoints/lm-1500.pt", Some("model")),
        ("../../../../corpora/checkpoints/lm-1501.pt", Some("model")),
        ("facenet-pnet.pt", None),
        ("lpips-alex.pth", None),
    ] {
        let path = files().join(name);
        let oracle = match key {
            Some(key) => PytorchReader::with_top_level_key(&path, key).unwrap(),
            None => PytorchReader::new(&path).unwrap(),
        };
        agree(&path, &oracle, &model(&path));
    }
}

/// The oracle's own test files. It refuses none of these; those that are modules as a whole have
/// their tensors under the names of `state_dict()`.
#[test]
fn the_files_of_the_other_reader_agree() {
    let mut compared = 0;
    for entry in std::fs::read_dir(files().join("pytorch-reader")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let oracle = match name.as_str() {
            // Empty; and big-endian, which the other reader refuses.
            "empty.pt" | "big_endian.pt" => continue,
            // Its entry of weights is a module; the others are settings.
            "full_model_checkpoint.pt" => {
                PytorchReader::with_top_level_key(&path, "model").unwrap()
            }
            _ => PytorchReader::new(&path).unwrap(),
        };
        match name.starts_with("full_model") && name != "full_model_state_dict.pt" {
            true => agree(&path, &oracle, &model(&path)),
            false => agree(&path, &oracle, &all(&path)),
        }
        compared += 1;
    }
    assert_eq!(compared, 24);
}
