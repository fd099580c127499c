//! Batches of images: their order, what is done to them, and the thread that makes them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use wd_data::images::{
    Augmentation, ImageBatch, ImageError, ImageLoader, ImageLoaderConfig, ImageSet, Normalisation,
};
use wd_data::{LoaderError, Position};

use super::support::{constant, sample};

const SHAPE: (usize, usize) = (4, 5);

const ALL: Augmentation = Augmentation { crop: 1, flip: true, mixup: 0.3, cutout: 2 };

fn config(batch: usize, epochs: u64, keep_short_batch: bool) -> ImageLoaderConfig {
    ImageLoaderConfig { batch, seed: 5, epochs, keep_short_batch }
}

/// Bytes stay what they are.
fn bytes() -> Normalisation {
    Normalisation { mean: vec![0.0], std: vec![1.0 / 255.0] }
}

fn loader(
    set: &Arc<ImageSet>,
    augmentation: Augmentation,
    config: ImageLoaderConfig,
) -> ImageLoader {
    let indices = (0..set.len() as u32).collect();
    ImageLoader::new(Arc::clone(set), indices, bytes(), augmentation, config).unwrap()
}

fn set(count: u8) -> Arc<ImageSet> {
    Arc::new(constant(count, 3, SHAPE))
}

/// A batch that stays.
#[derive(Debug, Clone, PartialEq)]
struct Kept {
    images: Vec<f32>,
    first: Vec<u32>,
    second: Vec<u32>,
    share: Vec<f32>,
}

fn keep(batch: ImageBatch<'_>) -> Kept {
    Kept {
        images: batch.images.to_vec(),
        first: batch.first.to_vec(),
        second: batch.second.to_vec(),
        share: batch.share.to_vec(),
    }
}

fn all(loader: &mut ImageLoader) -> Vec<Kept> {
    (0..loader.steps_available()).map(|_| keep(loader.next().unwrap())).collect()
}

/// The number of the image at each place of an unchanged batch.
fn numbers(batch: &Kept) -> Vec<u32> {
    let images = batch.images.chunks_exact(20);
    images
        .map(|image| {
            assert!(image.iter().all(|&pixel| pixel == image[0]));
            image[0].round() as u32
        })
        .collect()
}

#[test]
fn every_image_comes_once_an_epoch_with_its_label() {
    let set = set(23);
    for keep_short in [false, true] {
        let mut loader = loader(&set, Augmentation::default(), config(5, 3, keep_short));
        assert_eq!(loader.steps_in_epoch(), if keep_short { 5 } else { 4 });
        let mut orders = HashSet::new();
        for _ in 0..3 {
            let mut seen = Vec::new();
            for _ in 0..loader.steps_in_epoch() {
                let batch = keep(loader.next().unwrap());
                for (number, label) in numbers(&batch).into_iter().zip(&batch.first) {
                    assert_eq!(*label, number % 3);
                    seen.push(number);
                }
                assert_eq!(batch.first, batch.second);
                assert!(batch.share.iter().all(|&share| share == 1.0));
            }
            let different: HashSet<u32> = seen.iter().copied().collect();
            assert_eq!(different.len(), if keep_short { 23 } else { 20 });
            assert_eq!(different.len(), seen.len());
            orders.insert(seen);
        }
        assert_eq!(orders.len(), 3);
        let steps = loader.steps_in_epoch();
        assert!(matches!(
            loader.next().unwrap_err(),
            ImageError::Loader(LoaderError::Exhausted { epochs: 3, steps: found }) if found == steps
        ));
    }
}

#[test]
fn fewer_images_than_a_batch_make_one_short_batch() {
    let mut loader = loader(&set(3), ALL, config(1000, 2, true));
    assert_eq!(loader.steps_available(), 2);
    for batch in all(&mut loader) {
        assert_eq!((batch.images.len(), batch.share.len()), (60, 3));
    }
}

/// What is done to an image does not depend on the batch, nor on which others are trained on (but
/// for mixup).
#[test]
fn augmentation_depends_on_seed_epoch_and_index_alone() {
    let labels: Vec<u32> = (0..30).collect();
    let set = Arc::new(sample(&labels, (6, 6)));
    let augmentation = Augmentation { mixup: 0.0, ..ALL };
    let looks = |indices: Vec<u32>, batch: usize, seed: u64| {
        let config = ImageLoaderConfig { seed, ..config(batch, 2, true) };
        let mut loader =
            ImageLoader::new(Arc::clone(&set), indices, bytes(), augmentation, config).unwrap();
        let mut looks = std::collections::BTreeMap::new();
        while loader.position().epoch < 2 {
            let epoch = loader.position().epoch;
            let batch = keep(loader.next().unwrap());
            for (image, label) in batch.images.chunks_exact(36).zip(&batch.first) {
                looks.insert((epoch, *label), image.to_vec());
            }
        }
        looks
    };
    let base = looks((0..30).collect(), 7, 5);
    assert_eq!(base.len(), 60);
    assert_eq!(base, looks((0..30).rev().collect(), 4, 5));
    let some = looks((0..30).step_by(4).collect(), 3, 5);
    assert!(some.len() == 16 && some.iter().all(|(key, image)| base[key] == *image));
    let other = looks((0..30).collect(), 7, 6);
    let same = base.iter().filter(|(key, image)| other[key] == **image);
    assert!(same.count() < 10);
    let again = (0..30).filter(|&label| base[&(0, label)] == base[&(1, label)]);
    assert!(again.count() < 5);
}

#[test]
fn mixup_mixes_pixels_and_labels_in_the_same_share() {
    let set = set(40);
    let augmentation = Augmentation { mixup: 0.5, ..Augmentation::default() };
    let mut mixed = loader(&set, augmentation, config(8, 1, false));
    let mut plain = loader(&set, Augmentation::default(), config(8, 1, false));
    let mut partners = HashSet::new();
    for (mixed, plain) in all(&mut mixed).iter().zip(all(&mut plain)) {
        assert_eq!(mixed.first, plain.first);
        for (place, number) in numbers(&plain).into_iter().enumerate() {
            let share = f64::from(mixed.share[place]);
            assert!((0.0..=1.0).contains(&share));
            let pixel = f64::from(mixed.images[place * 20]);
            if share < 0.9 {
                let partner = (pixel - share * f64::from(number)) / (1.0 - share);
                assert!((partner - partner.round()).abs() < 1e-3, "{partner}");
                assert_eq!(partner.round() as u32 % 3, mixed.second[place]);
                partners.insert(partner.round() as u32);
            }
        }
    }
    assert!(partners.len() > 10);
}

#[test]
fn batches_are_the_same_whatever_the_timing() {
    let set = set(40);
    let mut quick = loader(&set, ALL, config(8, 2, false));
    let mut slow = loader(&set, ALL, config(8, 2, false));
    let expected = all(&mut quick);
    for (step, expected) in expected.iter().enumerate() {
        std::thread::sleep(Duration::from_millis([0, 3, 0, 0, 8][step % 5]));
        assert_eq!(keep(slow.next().unwrap()), *expected);
    }
}

#[test]
fn the_thread_ends_with_its_loader() {
    let set = set(40);
    for steps in [0, 1, 4, 5] {
        let mut loader = loader(&set, ALL, config(8, 1, false));
        for _ in 0..steps {
            loader.next().unwrap();
        }
        assert_eq!(Arc::strong_count(&set), 2);
        drop(loader);
        assert_eq!(Arc::strong_count(&set), 1);
    }
}

#[test]
fn positions_that_are_none_are_refused() {
    let mut loader = loader(&set(10), ALL, config(4, 2, false));
    for (epoch, cursor) in [(2, 1), (3, 0), (0, 11), (u64::MAX, 0), (0, u64::MAX)] {
        let ImageError::Loader(error) = loader.seek(Position { epoch, cursor }).unwrap_err() else {
            panic!("a refusal of the loader")
        };
        let LoaderError::Position { unit: "image", count: 10, .. } = error else {
            panic!("{error}")
        };
    }
    // The two images left are no batch: the next epoch.
    loader.seek(Position { epoch: 0, cursor: 8 }).unwrap();
    let expected = Position { epoch: 1, cursor: 0 };
    assert_eq!(loader.position(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Stopping anywhere and going on from the position gives the batches of the straight run, to
    /// the bit.
    #[test]
    fn seeking_equals_reading_on(
        count in 2u8..40, batch in 1usize..12, epochs in 1u64..4, keep_short: bool, stop in any::<prop::sample::Index>(),
    ) {
        let set = set(count);
        let batch = batch.min(usize::from(count));
        let config = config(batch, epochs, keep_short);
        let mut straight = loader(&set, ALL, config);
        let (mut positions, mut batches) = (Vec::new(), Vec::new());
        for _ in 0..straight.steps_available() {
            positions.push(straight.position());
            batches.push(keep(straight.next().unwrap()));
        }
        positions.push(straight.position());
        let stop = stop.index(positions.len());
        // From a fresh loader, from one that stands at the end, and from one that has another batch
        // ready.
        let mut elsewhere = loader(&set, ALL, config);
        elsewhere.next().unwrap();
        for mut resumed in [loader(&set, ALL, config), straight, elsewhere] {
            resumed.seek(positions[stop]).unwrap();
            for expected in &batches[stop..] {
                prop_assert_eq!(&keep(resumed.next().unwrap()), expected);
            }
            prop_assert_eq!(Some(&resumed.position()), positions.last());
            prop_assert!(resumed.next().is_err());
        }
    }

    /// The size of a batch changes neither the order nor the images.
    #[test]
    fn the_batch_size_does_not_change_the_order(count in 2u8..40, batch in 1usize..12) {
        let set = set(count);
        let read = |batch| {
            let mut loader = loader(&set, ALL, config(batch, 1, true));
            all(&mut loader).into_iter().flat_map(|batch| batch.images).collect::<Vec<f32>>()
        };
        prop_assert_eq!(read(1), read(batch));
    }
}
