//! What has to hold exactly: scaling weights before a norm by a power of two changes no bit of the
//! loss.

use wd_nn::{DropoutKey, Gpt, GptConfig, Norm, Position};

fn losses(config: &GptConfig, parameters: &[f32]) -> (f64, Vec<f32>) {
    let tokens = |seed: usize| {
        (0..3 * config.context).map(move |index| ((index * index + seed) % 30) as u32)
    };
    let (inputs, targets): (Vec<u32>, Vec<u32>) = (tokens(1).collect(), tokens(2).collect());
    let mut gradients = vec![f32::NAN; parameters.len()];
    let mut gpt = Gpt::new(config.clone(), 3, 1).unwrap();
    let key = DropoutKey::default();
    let loss = gpt.loss_and_gradient(parameters, &mut gradients, &inputs, &targets, key).unwrap();
    (loss, gradients)
}

#[test]
fn weights_before_a_norm_have_no_scale() {
    for (norm, position) in [(Norm::LayerNorm, Position::Learned), (Norm::RmsNorm, Position::Rope)]
    {
        let mut config = GptConfig::new(30, 20, 2, 24, 3);
        config.norm = norm;
        config.position = position;
        config.norm_epsilon = 0.0;
        config.qk_norm = true;
        config.tied_head = false;
        config.init_std = 0.1;
        let layout = config.layout();
        let mut parameters = vec![0.0; layout.len];
        config.initialize(5, &mut parameters).unwrap();

        // Everything that is added up in the residual stream; queries and keys, which are
        // normalised, on their own.
        let in_stream = |path: &str| {
            ["embedding.", ".projection.", ".down."].iter().any(|part| path.contains(part))
        };
        for exponent in [-7, -1, 1, 3] {
            let scale = 2f32.powi(exponent);
            let mut scaled = parameters.clone();
            for segment in &layout.segments {
                let queries_and_keys = 2 * 24 * 24;
                let values = &mut scaled[segment.range()];
                let moved = match segment.path.as_str() {
                    path if in_stream(path) => values,
                    path if path.ends_with("qkv.weight") => &mut values[..queries_and_keys],
                    _ => continue,
                };
                moved.iter_mut().for_each(|value| *value *= scale);
            }
            let (loss, gradients) = losses(&config, &parameters);
            let (scaled_loss, scaled_gradients) = losses(&config, &scaled);
            assert_eq!(loss.to_bits(), scaled_loss.to_bits(), "{norm:?}, 2^{exponent}");
            // ∇L(cW) = ∇L(W)/c, to the bit.
            for segment in layout.segments.iter().filter(|segment| in_stream(&segment.path)) {
                let pairs =
                    gradients[segment.range()].iter().zip(&scaled_gradients[segment.range()]);
                assert!(
                    pairs.into_iter().all(|(a, b)| *a == b * scale),
                    "{}, 2^{exponent}",
                    segment.path
                );
            }
        }
    }
}
