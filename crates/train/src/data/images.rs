//! Images: what is trained on, what is tested on, and a second test set that is shifted.

use std::{path::Path, sync::Arc};

use wd_data::images::{
    Augmentation, Corruption, ImageError, ImageLoader, ImageLoaderConfig, ImageSet, Normalisation,
    Part,
};
use wd_decay::Unit;
use wd_nn::{ClassLoss, ImageShape};
use wd_store::PlannedImages;

use super::planned::PlannedData;
use crate::{
    config::{ConfigFault, ConfigSource, CorruptedSection, ModelConfig, Shifted},
    error::TrainError,
};

/// The images of a run, in memory.
#[derive(Debug)]
pub struct ImageData {
    training: Arc<ImageSet>,
    /// Those of `training` that are trained on; a smaller subset is the start of a larger one.
    indices: Vec<u32>,
    /// Of those, the ones on which the training side of the gap is measured.
    pub(crate) training_sample: Vec<u32>,
    /// Training images whose labels are wrong on purpose, as many as are evaluated.
    pub(crate) wrong_labels: Vec<u32>,
    pub(crate) normalisation: Normalisation,
    augmentation: Augmentation,
    pub(crate) batch: usize,
    pub(crate) test: TestImages,
    pub(crate) shifted: Option<TestImages>,
}

/// A set to test on, and which images of it.
#[derive(Debug)]
pub(crate) struct TestImages {
    pub(crate) set: ImageSet,
    pub(crate) indices: Vec<u32>,
}

impl ImageData {
    /// Reads the images of a configuration.
    pub(crate) fn open(source: &ConfigSource) -> Result<Self, TrainError> {
        let data = &source.config.data;
        let batch = data.batch.ok_or_else(|| {
            source.error(ConfigFault::Missing {
                key: "data.batch".to_owned(),
                meaning: Some("how many images a step takes"),
            })
        })?;
        let training = ImageSet::open(&data.path).map_err(source.refused("data.path"))?;
        let training = Arc::new(training);
        let size = data.size.unwrap_or(training.len());
        let indices = training
            .subset(size, data.subset_seed.unwrap_or(0))
            .map_err(source.refused("data.size"))?
            .indices;
        let normalisation =
            Normalisation::of(&training, &indices).map_err(source.refused("data.path"))?;
        let sample = |set: ImageSet| {
            let count = data.evaluation_images.unwrap_or(set.len()).min(set.len());
            // Spread evenly: sets may be sorted by class.
            let index = |i: usize| (i as u128 * set.len() as u128 / count as u128) as u32;
            let indices = (0..count).map(index).collect();
            TestImages { set, indices }
        };
        let aligned = |path: &Path, key: &str| -> Result<ImageSet, TrainError> {
            ImageSet::open_part(path, Part::Test)
                .and_then(|set| set.aligned_to(&training))
                .map_err(source.refused(key))
        };
        let test = match &data.test {
            Some(path) => aligned(path, "data.test")?,
            None => aligned(&data.path, "data.path")?,
        };
        let shifted = match &data.shifted {
            None => None,
            Some(Shifted::Path(path)) => Some(sample(aligned(path, "data.shifted")?)),
            Some(Shifted::Corrupted(corrupted)) => {
                let worse = test.clone().corrupt(corruption(corrupted));
                Some(sample(worse.map_err(source.refused("data.shifted"))?))
            }
        };
        let test = sample(test);
        let training_sample = indices[..test.indices.len().min(indices.len())].to_vec();
        let (training, mut wrong_labels) = match data.label_noise.filter(|share| *share != 0.0) {
            Some(share) => {
                let (noisy, wrong) = training
                    .as_ref()
                    .clone()
                    .with_wrong_labels(&indices, share, data.subset_seed.unwrap_or(0))
                    .map_err(source.refused("data.label_noise"))?;
                (Arc::new(noisy), wrong)
            }
            None => (training, Vec::new()),
        };
        wrong_labels.truncate(test.indices.len());
        Ok(ImageData {
            training,
            indices,
            training_sample,
            wrong_labels,
            normalisation,
            augmentation: Augmentation {
                crop: data.crop.unwrap_or(0),
                flip: data.flip.unwrap_or(false),
                mixup: data.mixup.unwrap_or(0.0),
                cutout: data.cutout.unwrap_or(0),
            },
            batch,
            test,
            shifted,
        })
    }

    /// Size of every image.
    pub(crate) fn shape(&self) -> ImageShape {
        let (height, width, channels) = self.training.shape();
        ImageShape { channels, height, width }
    }

    /// Number of classes.
    pub(crate) fn classes(&self) -> usize {
        self.training.classes()
    }

    /// Names of the classes of which no test image is.
    fn untested(&self) -> Vec<String> {
        let mut is_tested = vec![false; self.classes()];
        for &index in &self.test.indices {
            if let Some(seen) = is_tested.get_mut(self.test.set.label(index as usize) as usize) {
                *seen = true;
            }
        }
        let names = self.training.class_names().iter().zip(is_tested);
        names.filter(|(_, is_tested)| !is_tested).map(|(name, _)| name.clone()).collect()
    }

    /// The training images.
    pub(crate) fn training(&self) -> &ImageSet {
        &self.training
    }

    /// The loader at the start of the run's data.
    pub(crate) fn loader(&self, source: &ConfigSource) -> Result<ImageLoader, TrainError> {
        ImageLoader::new(
            Arc::clone(&self.training),
            self.indices.clone(),
            self.normalisation.clone(),
            self.augmentation,
            ImageLoaderConfig {
                batch: self.batch,
                seed: source.config.run.seed,
                epochs: source.config.data.epochs,
                keep_short_batch: false,
            },
        )
        .map_err(|error| {
            let key = match &error {
                ImageError::Setting { name, .. } => format!("data.{name}"),
                _ => "data".to_owned(),
            };
            source.refused(&key)(error)
        })
    }

    /// What the images say to the plan.
    pub(crate) fn plan(&self, source: &ConfigSource) -> Result<PlannedData, TrainError> {
        let loader = self.loader(source)?;
        let (height, width, channels) = self.training.shape();
        let shifted = &source.config.data.shifted;
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.training.hash().as_bytes());
        for test in std::iter::once(&self.test).chain(&self.shifted) {
            hasher.update(test.set.hash().as_bytes());
        }
        Ok(PlannedData {
            unit: Unit::Image,
            per_step: self.batch as u64,
            training: self.indices.len() as u64,
            validation: self.test.indices.len() as u64,
            steps_in_epoch: loader.steps_in_epoch(),
            hash: hasher.finalize().to_hex().to_string(),
            text: None,
            images: Some(PlannedImages {
                shape: [height, width, channels],
                classes: self.training.class_names().to_vec(),
                mean: self.normalisation.mean.clone(),
                std: self.normalisation.std.clone(),
                shifted: shifted.as_ref().map(|shifted| match shifted {
                    Shifted::Path(path) => {
                        let paired = self.shifted.as_ref().and_then(|test| test.set.paired());
                        match paired {
                            Some(paired) => format!("{} ({paired})", path.display()),
                            None => path.display().to_string(),
                        }
                    }
                    Shifted::Corrupted(corrupted) => {
                        format!("{}, severity {}", corrupted.corruption, corrupted.severity)
                    }
                }),
                label_noise: source.config.data.label_noise.unwrap_or(0.0),
                untested: self.untested(),
                squared_error: matches!(
                    &source.config.model.network,
                    ModelConfig::Vision(model) if model.loss() == ClassLoss::MeanSquaredError
                ),
            }),
        })
    }
}

fn corruption(section: &CorruptedSection) -> Corruption {
    Corruption { kind: section.corruption, severity: section.severity, seed: section.seed }
}
