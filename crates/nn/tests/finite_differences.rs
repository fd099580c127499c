//! The gradient of whole models, in every combination of options, against differences of the loss.

use wd_nn::{Activation, DropoutKey, Gpt, GptConfig, Norm, Position};

const SEQUENCES: usize = 3;

/// Every combination of the two-valued options, each with and without dropout.
fn configurations() -> Vec<GptConfig> {
    (0..128)
        .map(|bits: u32| {
            let option = |index: u32| bits >> index & 1 == 1;
            let mut config = GptConfig::new(13, 5, 2, 8, 2);
            config.norm = if option(0) { Norm::RmsNorm } else { Norm::LayerNorm };
            config.position = if option(1) { Position::Rope } else { Position::Learned };
            config.activation = if option(2) { Activation::SwiGlu } else { Activation::Gelu };
            config.tied_head = option(3);
            config.bias = option(4);
            config.qk_norm = option(5);
            config.dropout = if option(6) { 0.25 } else { 0.0 };
            config.init_std = 0.4;
            config
        })
        .collect()
}

/// Initial parameters, none of them at a special value.
fn parameters(config: &GptConfig) -> Vec<f64> {
    let mut parameters = vec![0.0f32; config.layout().len];
    config.initialize(1, &mut parameters).unwrap();
    parameters
        .iter()
        .enumerate()
        .map(|(index, value)| f64::from(*value) + 0.1 * (1.7 * index as f64).sin())
        .collect()
}

fn tokens(seed: usize, config: &GptConfig) -> Vec<u32> {
    let token = |index: usize| (index * index * 31 + index * seed + seed) % config.vocabulary;
    (0..SEQUENCES * config.context).map(|index| token(index) as u32).collect()
}

#[test]
fn every_gradient_is_the_slope_of_the_loss() {
    for config in configurations() {
        let layout = config.layout();
        let mut parameters = parameters(&config);
        let (inputs, targets) = (tokens(5, &config), tokens(11, &config));
        let mut gpt = Gpt::<f64>::new(config.clone(), SEQUENCES, 1).unwrap();
        let key = DropoutKey { seed: 3, step: 9 };
        let mut gradients = vec![f64::NAN; layout.len];
        gpt.loss_and_gradient(&parameters, &mut gradients, &inputs, &targets, key).unwrap();

        let mut unused = vec![0.0; layout.len];
        for segment in &layout.segments {
            // One direction in which every element moves: an error of any element shows.
            let direction = |index: usize| (0.9 + 2.3 * index as f64).cos();
            let mut at = |distance: f64, parameters: &mut Vec<f64>| {
                let before = parameters.clone();
                for (index, parameter) in parameters[segment.range()].iter_mut().enumerate() {
                    *parameter += distance * direction(index);
                }
                let loss =
                    gpt.loss_and_gradient(parameters, &mut unused, &inputs, &targets, key).unwrap();
                parameters.copy_from_slice(&before);
                loss
            };
            let h = 1e-4;
            let near = at(h, &mut parameters) - at(-h, &mut parameters);
            let far = at(2.0 * h, &mut parameters) - at(-2.0 * h, &mut parameters);
            let difference = (8.0 * near - far) / (12.0 * h);
            let gradient = &gradients[segment.range()];
            let slope: f64 =
                gradient.iter().enumerate().map(|(index, g)| g * direction(index)).sum();
            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            // A bias of the keys moves no probability: its gradient is zero but for rounding.
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
