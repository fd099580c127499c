//! The images in the tree are whole, and what their README says they are.

use std::sync::Arc;

use wd_data::images::{
    Augmentation, Corruption, CorruptionKind, ImageLoader, ImageLoaderConfig, ImageSet,
    Normalisation, Part, evaluation_batch,
};

use super::golden::golden;
use super::support::{labels, shipped_folder};

const CORPUS: &str = "../../../../corpora/images/fashion-mnist";

#[test]
fn both_parts_are_whole_and_balanced() {
    let golden = &golden()["shipped"];
    for (part, name, each) in [(Part::Train, "train", 400), (Part::Test, "t10k", 200)] {
        let set = ImageSet::open_part(&shipped_folder(), part).unwrap();
        let golden = &golden[name];
        assert_eq!(set.shape(), (28, 28, 1));
        assert_eq!(set.len() as u64, golden["count"].as_u64().unwrap());
        assert_eq!(set.hash(), golden["hash"].as_str().unwrap());
        let first: Vec<u32> = serde_json::from_value(golden["first_labels"].clone()).unwrap();
        assert_eq!(labels(&set)[..10], first);
        let row: Vec<u8> = serde_json::from_value(golden["row_14_of_image_123"].clone()).unwrap();
        assert_eq!(set.pixels(123)[14 * 28..15 * 28], row);
        for class in 0..10 {
            let of_class = labels(&set).iter().filter(|&&label| label == class).count();
            assert_eq!(of_class, each);
        }
    }
}

#[test]
fn they_can_be_read_from_memory() {
    let read = |name: &str| -> &'static [u8] {
        let path = shipped_folder().join(name);
        Box::leak(std::fs::read(path).unwrap().into_boxed_slice())
    };
    let set = ImageSet::from_idx(
        CORPUS,
        read("train-images-idx3-ubyte.gz"),
        read("train-labels-idx1-ubyte.gz"),
    )
    .unwrap();
    assert_eq!(set.hash(), ImageSet::open(&shipped_folder()).unwrap().hash());
}

/// Written down once, so that a study made elsewhere, or with a later version, trains on the same
/// images.
#[test]
fn subset_order_and_pixels_are_the_same_for_ever() {
    let set = Arc::new(ImageSet::open(&shipped_folder()).unwrap());
    let subset = set.subset(500, 3).unwrap();
    assert_eq!(subset.counts, [50; 10]);
    assert_eq!(subset.indices[..8], SUBSET);
    let normalisation = Normalisation::of(&set, &subset.indices).unwrap();
    let augmentation = Augmentation { crop: 2, flip: true, mixup: 0.2, cutout: 6 };
    let config = ImageLoaderConfig { batch: 32, seed: 9, epochs: 2, keep_short_batch: false };
    let mut loader =
        ImageLoader::new(set, subset.indices, normalisation, augmentation, config).unwrap();
    let mut hasher = blake3::Hasher::new();
    for _ in 0..loader.steps_available() {
        let batch = loader.next().unwrap();
        for number in batch.images.iter().chain(batch.share) {
            hasher.update(&number.to_le_bytes());
        }
        for label in batch.first.iter().chain(batch.second) {
            hasher.update(&label.to_le_bytes());
        }
    }
    assert_eq!(hasher.finalize().to_hex().as_str(), BATCHES);
}
const SUBSET: [u32; 8] = [3226, 1180, 681, 3778, 3599, 2969, 1249, 2654];
const BATCHES: &str = "87bf6904a9960faf725a6e55933b719cbbc99d32ee89da7fb52fcf76d08bbd8d";

#[test]
fn corruptions_are_the_same_for_ever_and_grow() {
    let test = ImageSet::open_part(&shipped_folder(), Part::Test).unwrap();
    let mut hashes = Vec::new();
    for kind in CorruptionKind::ALL {
        let mut last = 0.0;
        for severity in 1..=5 {
            let corruption = Corruption { kind, severity, seed: 1 };
            let corrupted = test.clone().corrupt(corruption).unwrap();
            assert_eq!(labels(&corrupted), labels(&test));
            let distance: f64 = (0..test.len())
                .flat_map(|index| test.pixels(index).iter().zip(corrupted.pixels(index)))
                .map(|(&before, &after)| (f64::from(before) - f64::from(after)).powi(2))
                .sum();
            assert!(distance > last, "{kind} {severity}: {distance} ≤ {last}");
            last = distance;
            if severity == 3 {
                hashes.push(corrupted.hash()[..16].to_owned());
            }
        }
    }
    assert_eq!(hashes, CORRUPTED);
    let none = Corruption { kind: CorruptionKind::Noise, severity: 0, seed: 1 };
    let error = test.corrupt(none).unwrap_err().to_string();
    assert!(error.starts_with("severity = 0 must be"), "{error}");
}
const CORRUPTED: [&str; 5] = [
    "39206f7486ee69c2",
    "bb37908e5ae44db2",
    "2aba15e1656640ca",
    "a09de198df0d38ec",
    "8d7122b5148f9e75",
];

#[test]
fn evaluation_is_normalised_and_nothing_else() {
    let set = ImageSet::open(&shipped_folder()).unwrap();
    let indices: Vec<u32> = (0..set.len() as u32).collect();
    let normalisation = Normalisation::of(&set, &indices).unwrap();
    let mut out = vec![0.0; set.len() * 28 * 28];
    evaluation_batch(&set, &indices, &normalisation, &mut out).unwrap();
    let count = out.len() as f64;
    let mean = out.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let square = out.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / count;
    assert!(mean.abs() < 1e-6 && (square - 1.0).abs() < 1e-6, "{mean} {square}");
    let (mean, std) = (normalisation.mean[0], normalisation.std[0]);
    for (index, pixel) in [(0, 300), (17, 400), (3999, 77)] {
        let expected = (f32::from(set.pixels(index)[pixel]) / 255.0 - mean) / std;
        assert!((out[index * 28 * 28 + pixel] - expected).abs() < 1e-6);
    }
    // A buffer of the wrong size, an image that is not there, another number of channels.
    for (indices, length, wanted) in [
        (vec![0, 1], 784, "length of the buffer = 784 must be 2 images × 784"),
        (vec![4000], 784, "image 4000 does not exist: there are 4000"),
        (vec![], 0, "no image of it was chosen"),
    ] {
        let error = evaluation_batch(&set, &indices, &normalisation, &mut out[..length]);
        let error = error.unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
    let colour = Normalisation { mean: vec![0.5; 3], std: vec![0.2; 3] };
    let error = evaluation_batch(&set, &[0], &colour, &mut out[..784]).unwrap_err();
    assert!(error.to_string().contains("for each channel, 1"));
}

/// The thread keeps up: a step that takes as long as a small forward pass never waits but for its
/// first batch.
#[test]
fn a_step_does_not_wait() {
    let set = Arc::new(ImageSet::open(&shipped_folder()).unwrap());
    let indices: Vec<u32> = (0..4000).collect();
    let normalisation = Normalisation::of(&set, &indices).unwrap();
    let augmentation = Augmentation { crop: 2, flip: true, mixup: 0.2, cutout: 8 };
    let config = ImageLoaderConfig { batch: 16, seed: 0, epochs: 1, keep_short_batch: false };
    let mut loader = ImageLoader::new(set, indices, normalisation, augmentation, config).unwrap();
    let mut waits = Vec::new();
    for _ in 0..10 {
        let before = loader.waited();
        loader.next().unwrap();
        waits.push(loader.waited() - before);
        // Much longer than sixteen images take, on a machine that does other things besides.
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    waits.sort_unstable();
    assert!(waits[5].as_millis() < 10, "{waits:?}");
}
