//! One seed, one result: whatever the number of threads, and up to rounding whatever the cut of the
//! batch.

use wd_nn::{DropoutKey, Gpt, GptConfig};

/// Enough sequences for several lanes.
const SEQUENCES: usize = 50;

fn config() -> GptConfig {
    let mut config = GptConfig::new(40, 64, 2, 16, 2);
    config.dropout = 0.1;
    config.init_std = 0.1;
    config
}

fn tokens(seed: usize, count: usize) -> Vec<u32> {
    (0..count).map(|index| ((index * index + index * seed) % 40) as u32).collect()
}

fn parameters(config: &GptConfig) -> Vec<f32> {
    let mut parameters = vec![0.0; config.layout().len];
    config.initialize(7, &mut parameters).unwrap();
    parameters
}

#[test]
fn bits_do_not_depend_on_threads() {
    let config = config();
    let parameters = parameters(&config);
    let (inputs, targets) = (tokens(3, SEQUENCES * 64), tokens(5, SEQUENCES * 64));
    let run = |pool_threads: usize, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(pool_threads).build().unwrap();
        pool.install(|| {
            let mut gpt = Gpt::new(config.clone(), SEQUENCES, threads).unwrap();
            let mut gradients = vec![f32::NAN; parameters.len()];
            let mut results = Vec::new();
            for step in 0..3 {
                let key = DropoutKey { seed: 1, step };
                let loss = gpt
                    .loss_and_gradient(&parameters, &mut gradients, &inputs, &targets, key)
                    .unwrap();
                results.push(loss.to_bits());
                results.extend(gradients.iter().map(|gradient| u64::from(gradient.to_bits())));
            }
            results.push(gpt.loss(&parameters, &inputs, &targets).unwrap().to_bits());
            results
        })
    };
    let alone = run(1, 1);
    for (pool_threads, threads) in [(2, 2), (3, 3), (3, 1), (1, 3)] {
        assert!(
            run(pool_threads, threads) == alone,
            "a pool of {pool_threads}, memory for {threads} threads"
        );
    }
    let steps: Vec<_> = alone.chunks(parameters.len() + 1).take(3).collect();
    assert!(steps[0] != steps[1] && steps[1] != steps[2], "every step draws its own masks");
}

#[test]
fn a_batch_is_the_mean_of_its_sequences() {
    let mut config = config();
    config.dropout = 0.0;
    let parameters: Vec<f64> = parameters(&config).into_iter().map(f64::from).collect();
    let (inputs, targets) = (tokens(3, SEQUENCES * 64), tokens(5, SEQUENCES * 64));
    let key = DropoutKey::default();
    let mut whole = vec![f64::NAN; parameters.len()];
    let mut gpt = Gpt::new(config.clone(), SEQUENCES, 2).unwrap();
    let loss = gpt.loss_and_gradient(&parameters, &mut whole, &inputs, &targets, key).unwrap();

    let (mut sum, mut sum_of_losses) = (vec![0.0; parameters.len()], 0.0);
    for (inputs, targets) in inputs.chunks(64).zip(targets.chunks(64)) {
        let mut gradients = vec![f64::NAN; parameters.len()];
        sum_of_losses +=
            gpt.loss_and_gradient(&parameters, &mut gradients, inputs, targets, key).unwrap();
        for (sum, gradient) in sum.iter_mut().zip(gradients) {
            *sum += gradient;
        }
    }
    assert!((sum_of_losses / SEQUENCES as f64 - loss).abs() < 1e-13 * loss);
    for (sum, whole) in sum.iter().zip(&whole) {
        assert!((sum / SEQUENCES as f64 - whole).abs() < 1e-14, "{sum} {whole}");
    }
}

#[test]
fn without_dropout_the_key_has_no_effect() {
    let mut config = config();
    config.dropout = 0.0;
    let parameters = parameters(&config);
    let (inputs, targets) = (tokens(3, 128), tokens(5, 128));
    let mut gpt = Gpt::new(config, 2, 1).unwrap();
    let mut run = |key| {
        let mut gradients = vec![f32::NAN; parameters.len()];
        (
            gpt.loss_and_gradient(&parameters, &mut gradients, &inputs, &targets, key).unwrap(),
            gradients,
        )
    };
    assert_eq!(run(DropoutKey { seed: 1, step: 1 }), run(DropoutKey { seed: 2, step: 2 }));
}
