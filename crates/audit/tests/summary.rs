//! What is counted of a checkpoint.

use std::path::Path;

use wd_audit::{Audit, Request};

/// A safetensors file with one matrix of two by two.
fn write_shard(path: &Path, name: &str) {
    let header = format!(r#"{{"{name}":{{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}}}"#);
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend_from_slice(&[0; 16]);
    std::fs::write(path, file).unwrap();
}

#[test]
fn tensors_at_one_offset_of_two_files_are_two() {
    let folder = tempfile::tempdir().unwrap();
    write_shard(&folder.path().join("model-00001-of-00002.safetensors"), "a.weight");
    write_shard(&folder.path().join("model-00002-of-00002.safetensors"), "b.weight");
    let index = r#"{"metadata":{"total_size":32},"weight_map":{
        "a.weight":"model-00001-of-00002.safetensors",
        "b.weight":"model-00002-of-00002.safetensors"}}"#;
    std::fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
    let request = Request { paths: vec![folder.path().to_owned()], ..Request::default() };
    let audit = Audit::of(&request).unwrap();
    let [file] = audit.files.as_slice() else { panic!("one checkpoint") };
    assert_eq!((file.tensors, file.elements), (2, 8));
}

#[test]
fn a_tied_tensor_is_counted_once() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/clean/nanogpt/ckpt.pt");
    let audit = Audit::of(&Request { paths: vec![path], ..Request::default() }).unwrap();
    let [file] = audit.files.as_slice() else { panic!("one checkpoint") };
    let counted: usize = file.dtypes.iter().map(|count| count.tensors).sum();
    assert_eq!((file.tensors, counted), (10, 9));
}
