//! The gradient of whole models, in every combination of options, against differences of the loss.

use wd_nn::{ClassLoss, DropoutKey, MlpActivation, Pool, VisionConfig, VisionModel, VitActivation};

use super::{Batch, initial, mlp, vit};

const IMAGES: usize = 3;

/// Every combination of the two-valued options. ReLU, which has no slope at 0, is left to its
/// kernel's test.
fn configurations() -> Vec<VisionConfig> {
    let losses = [(ClassLoss::CrossEntropy, Some(0.1)), (ClassLoss::MeanSquaredError, None)];
    let mut configurations = Vec::new();
    for bits in 0..32usize {
        let option = |index: usize| bits >> index & 1 == 1;
        let mut config = vit();
        config.pool = if option(0) { Pool::Mean } else { Pool::Token };
        config.activation = if option(1) { VitActivation::GeluTanh } else { VitActivation::Gelu };
        config.qkv_bias = option(2);
        config.dropout = if option(3) { 0.25 } else { 0.0 };
        (config.loss, config.label_smoothing) = losses[usize::from(option(4))];
        configurations.push(VisionConfig::Vit(config));
    }
    for bits in 0..8usize {
        let option = |index: usize| bits >> index & 1 == 1;
        let mut config = mlp();
        config.activation = MlpActivation::Gelu;
        if option(0) {
            config.hidden.clear();
        }
        config.dropout = if option(1) { 0.25 } else { 0.0 };
        (config.loss, config.label_smoothing) = losses[usize::from(option(2))];
        configurations.push(VisionConfig::Mlp(config));
    }
    configurations
}

#[test]
fn every_gradient_is_the_slope_of_the_loss() {
    for config in configurations() {
        let layout = config.layout();
        // Large enough that every nonlinearity matters, none of them at a special value.
        let mut parameters: Vec<f64> = initial(&config, 1)
            .iter()
            .enumerate()
            .map(|(index, value)| f64::from(*value) + 0.3 * (1.7 * (index * index) as f64).sin())
            .collect();
        let batch = Batch::new(&config, IMAGES);
        let images: Vec<f64> = batch.images.iter().map(|value| f64::from(*value)).collect();
        let mut model = VisionModel::<f64>::new(config.clone(), IMAGES, 1).unwrap();
        let key = DropoutKey { seed: 3, step: 9 };
        let mut run = |parameters: &[f64], gradients: &mut [f64]| {
            model
                .loss_and_gradient(parameters, gradients, &mut [], &images, batch.targets(), key)
                .unwrap()
        };
        let mut gradients = vec![f64::NAN; layout.len];
        run(&parameters, &mut gradients);

        let mut unused = vec![0.0; layout.len];
        for segment in &layout.segments {
            // One direction in which every element moves: an error of any element shows.
            let direction = |index: usize| (0.9 + 2.3 * index as f64).cos();
            let mut at = |distance: f64| {
                let before = parameters.clone();
                for (index, parameter) in parameters[segment.range()].iter_mut().enumerate() {
                    *parameter += distance * direction(index);
                }
                let loss = run(&parameters, &mut unused);
                parameters.copy_from_slice(&before);
                loss
            };
            let h = 1e-4;
            let near = at(h) - at(-h);
            let far = at(2.0 * h) - at(-2.0 * h);
            let difference = (8.0 * near - far) / (12.0 * h);
            let gradient = &gradients[segment.range()];
            let slope: f64 =
                gradient.iter().enumerate().map(|(index, g)| g * direction(index)).sum();
            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            assert!(norm > 1e-6, "{}: {config:?}", segment.path);
            let error = (difference - slope).abs();
            assert!(
                error < 1e-7 * norm + 1e-10,
                "{}: {difference} against {slope}: {config:?}",
                segment.path
            );
        }
    }
}
