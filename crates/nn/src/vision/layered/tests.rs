//! The gradient against differences of the loss, for every kind of stage.

use super::{Network, Plan};
use crate::image::ImageShape;
use crate::kernels::finite_difference::{dot, normals};
use crate::kernels::pool::Pooling;
use crate::targets::{ClassLoss, Targets};
use crate::vision::{CnnConfig, ImageNorm, ResnetConfig, Stem};

const IMAGES_IN_BATCH: usize = 5;
const IMAGE: ImageShape = ImageShape { channels: 3, height: 10, width: 9 };

/// One of every kind of stage and normalisation.
fn plans() -> Vec<(&'static str, Plan)> {
    let cnn = |norm, pooling, groups| {
        let mut config = CnnConfig::new(IMAGE, 4, vec![6, 8]);
        (config.norm, config.pooling, config.groups) = (norm, pooling, groups);
        config.convolutions = 2;
        config.validate().unwrap();
        config.plan()
    };
    let resnet = |depth, norm, stem| {
        let mut config = ResnetConfig::new(IMAGE, 4, depth);
        (config.norm, config.stem, config.width) = (norm, stem, Some(4));
        config.validate().unwrap();
        config.plan()
    };
    vec![
        ("cnn", cnn(ImageNorm::Batch, Pooling::Max, 1)),
        ("grouped cnn", cnn(ImageNorm::Group, Pooling::Average, 2)),
        ("cnn without norm", cnn(ImageNorm::None, Pooling::Max, 1)),
        ("resnet 8", resnet(8, ImageNorm::Batch, Stem::Small)),
        ("resnet 8, group norm", resnet(8, ImageNorm::Group, Stem::Small)),
        ("resnet 14", resnet(14, ImageNorm::Batch, Stem::Small)),
        ("resnet 18", resnet(18, ImageNorm::Batch, Stem::Small)),
        ("resnet 18, large stem", resnet(18, ImageNorm::Group, Stem::Large)),
    ]
}

#[test]
fn backward_is_the_gradient_of_the_loss() {
    for (name, plan) in plans() {
        let mut network =
            Network::<f64>::new(plan.clone(), (ClassLoss::default(), 0.0), IMAGES_IN_BATCH, 2);
        let mut parameters = normals(1, plan.layout.len);
        for segment in &plan.layout.segments {
            for parameter in &mut parameters[segment.range()] {
                *parameter = segment.initial_mean
                    + *parameter
                        * if segment.initial_std > 0.0 { segment.initial_std } else { 0.2 };
            }
        }
        let images = normals(2, IMAGES_IN_BATCH * IMAGE.numbers());
        let targets = Targets {
            first: &[0, 1, 2, 3, 1],
            second: &[0, 0, 0, 1, 2],
            share: &[1.0, 1.0, 1.0, 0.75, 0.5],
        };
        let mut running = vec![0.0; plan.running.len];
        let mut gradients = vec![f64::NAN; parameters.len()];
        network
            .loss_and_gradient(&parameters, &mut gradients, &mut running, &images, targets)
            .unwrap();
        let mut other = vec![0.0; parameters.len()];
        // A wider step would cross kinks of ReLU and max.
        let step = 1e-6;
        for seed in 0..4 {
            let direction = normals(100 + seed, parameters.len());
            let mut at = |distance: f64| {
                let moved: Vec<f64> = parameters
                    .iter()
                    .zip(&direction)
                    .map(|(parameter, direction)| parameter + distance * direction)
                    .collect();
                network
                    .loss_and_gradient(&moved, &mut other, &mut running, &images, targets)
                    .unwrap()
            };
            let difference = (at(step) - at(-step)) / (2.0 * step);
            let expected = dot(&gradients, &direction);
            let scale = dot(&gradients, &gradients).sqrt() * dot(&direction, &direction).sqrt();
            assert!(
                (difference - expected).abs() < 1e-7 * scale,
                "{name}: difference {difference}, gradient {expected}"
            );
        }
    }
}
