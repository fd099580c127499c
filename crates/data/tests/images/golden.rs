//! Pixels equal those of Pillow, NumPy and SciPy; `golden/images.py` wrote them.

use std::fs;

use serde_json::Value;
use wd_data::images::{Corruption, CorruptionKind, ImageSet, Normalisation, Part};

use super::support::{folder, golden_folder, labels, shipped_folder};

pub(crate) fn golden() -> Value {
    let text = fs::read_to_string(golden_folder().join("golden.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap().iter();
    values.map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn png_and_jpeg_have_the_pixels_of_pillow() {
    let golden = golden();
    let files = golden["files"].as_object().unwrap();
    assert_eq!(files.len(), 9);
    for (name, expected) in files {
        let bytes = fs::read(golden_folder().join(name)).unwrap();
        // Named wrongly on purpose: the bytes decide.
        let root = folder(&[("a/0.jpg", &bytes), ("b/0.png", &bytes)]);
        let set = ImageSet::open(root.path()).unwrap();
        let channels = expected["channels"].as_u64().unwrap() as usize;
        assert_eq!(set.shape(), (10, 12, channels), "{name}");
        let worst = set
            .pixels(1)
            .iter()
            .zip(numbers(&expected["pixels"]))
            .map(|(pixel, expected)| (f64::from(*pixel) - expected).abs())
            .fold(0.0, f64::max);
        // Decoders of JPEG may differ in the last bit of each of their steps.
        let tolerance = if name.ends_with(".png") { 0.0 } else { 2.0 };
        assert!(worst <= tolerance, "{name}: {worst}");
    }
}

#[test]
fn parquet_has_the_pixels_and_classes_that_were_written() {
    let golden = &golden()["parquet"];
    let expected_labels: Vec<u32> =
        numbers(&golden["labels"]).iter().map(|label| *label as u32).collect();
    for (name, class_names) in [
        ("train-00000-of-00001.parquet", ["bird", "cat", "dog"]),
        ("plain.parquet", ["0", "1", "2"]),
    ] {
        let set = ImageSet::open(&golden_folder().join(name)).unwrap();
        assert_eq!(set.shape(), (10, 12, 3));
        assert_eq!(labels(&set), expected_labels);
        assert_eq!(set.class_names(), class_names);
        for (index, pixels) in golden["pixels"].as_array().unwrap().iter().enumerate() {
            let found: Vec<f64> = set.pixels(index).iter().map(|&p| f64::from(p)).collect();
            assert_eq!(found, numbers(pixels), "{name} {index}");
        }
    }
}

#[test]
fn cifar_has_the_pixels_that_were_written() {
    let golden = &golden()["cifar"];
    for (source, name) in [("cifar-10.bin.gz", "test_batch.bin"), ("cifar-100.bin.gz", "test.bin")]
    {
        let bytes = fs::read(golden_folder().join(source)).unwrap();
        let root = folder(&[(name, &bytes)]);
        let set = ImageSet::open_part(&root.path().join(name), Part::Test).unwrap();
        assert_eq!(labels(&set), [7, 0, 9]);
        assert_eq!(set.shape(), (32, 32, 3));
        let mut hasher = blake3::Hasher::new();
        for index in 0..set.len() {
            hasher.update(set.pixels(index));
        }
        assert_eq!(hasher.finalize().to_hex().as_str(), golden["pixels"].as_str().unwrap());
    }
}

#[test]
fn normalisation_is_that_of_numpy() {
    let golden = &golden()["shipped"]["train"];
    let set = ImageSet::open(&shipped_folder()).unwrap();
    let indices: Vec<u32> = (0..1000).collect();
    let normalisation = Normalisation::of(&set, &indices).unwrap();
    for (found, name) in
        [(&normalisation.mean, "mean_of_1000"), (&normalisation.std, "std_of_1000")]
    {
        let expected = golden[name].as_f64().unwrap();
        assert_eq!(found.len(), 1);
        assert!((f64::from(found[0]) / expected - 1.0).abs() < 1e-7);
    }
    // In any order, to the bit.
    let backwards: Vec<u32> = (0..1000).rev().collect();
    assert_eq!(Normalisation::of(&set, &backwards).unwrap(), normalisation);
}

#[test]
fn blur_and_contrast_are_those_of_scipy_and_numpy() {
    let golden = &golden()["shipped"];
    let test = ImageSet::open_part(&shipped_folder(), Part::Test).unwrap();
    for (kind, name) in [(CorruptionKind::Blur, "blur"), (CorruptionKind::Contrast, "contrast")] {
        for severity in 1..=5u8 {
            let corruption = Corruption { kind, severity, seed: 0 };
            let set = test.clone().corrupt(corruption).unwrap();
            let expected = numbers(&golden[name][usize::from(severity) - 1]);
            let differences = set
                .pixels(5)
                .iter()
                .zip(expected)
                .map(|(pixel, expected)| (f64::from(*pixel) - expected).abs());
            // A sum in another order may fall on the other side of a half.
            let wrong: f64 = differences.sum();
            assert!(wrong <= 1.0, "{kind} {severity}: {wrong}");
        }
    }
}
