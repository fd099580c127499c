//! Image classifiers: what they compute, what they refuse, and that a seed has one result.

mod configuration;
mod determinism;
mod finite_differences;
mod golden;
#[path = "../support/mod.rs"]
mod support;

use wd_nn::{ImageShape, MlpConfig, Targets, VisionConfig, VitConfig};

/// Images and targets that depend on the index alone.
struct Batch {
    images: Vec<f32>,
    first: Vec<u32>,
    second: Vec<u32>,
    share: Vec<f32>,
}

impl Batch {
    fn new(config: &VisionConfig, count: usize) -> Self {
        let classes = config.classes();
        let label =
            |index: usize, seed: usize| ((index * index * 31 + seed * index) % classes) as u32;
        Self {
            images: (0..count * config.image().numbers())
                .map(|index| (1.3 * index as f32).sin())
                .collect(),
            first: (0..count).map(|index| label(index, 5)).collect(),
            second: (0..count).map(|index| label(index, 11)).collect(),
            share: (0..count).map(|index| (index % 5) as f32 / 4.0).collect(),
        }
    }

    fn targets(&self) -> Targets<'_> {
        Targets { first: &self.first, second: &self.second, share: &self.share }
    }
}

const IMAGE: ImageShape = ImageShape { channels: 2, height: 4, width: 6 };

fn vit() -> VitConfig {
    VitConfig::new(IMAGE, 5, 2, 2, 8, 2)
}

fn mlp() -> MlpConfig {
    MlpConfig::new(IMAGE, 5, vec![9, 7])
}

fn initial(config: &VisionConfig, seed: u64) -> Vec<f32> {
    let mut parameters = vec![f32::NAN; config.layout().len];
    config.initialize(seed, &mut parameters).unwrap();
    parameters
}
