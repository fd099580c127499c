//! One seed, one result: whatever the number of threads, and up to rounding whatever the cut of the
//! batch.

use wd_nn::{DropoutKey, ImageShape, MlpConfig, Pool, VisionConfig, VisionModel, VitConfig};

use super::{Batch, initial};

/// Enough images for several lanes of several micro-batches, the last not full.
const IMAGES: usize = 131;

fn configurations() -> [VisionConfig; 3] {
    let image = ImageShape { channels: 1, height: 12, width: 12 };
    let mut token = VitConfig::new(image, 5, 2, 2, 16, 2);
    token.dropout = 0.1;
    let mut mean = token.clone();
    mean.pool = Pool::Mean;
    let large = ImageShape { channels: 3, height: 64, width: 64 };
    // Wide rows, so that a micro-batch does not hold the whole batch.
    let mut mlp = MlpConfig::new(large, 5, vec![20, 10]);
    mlp.dropout = 0.1;
    [VisionConfig::Vit(token), VisionConfig::Vit(mean), VisionConfig::Mlp(mlp)]
}

#[test]
fn bits_do_not_depend_on_threads() {
    for config in configurations() {
        let parameters = initial(&config, 7);
        let batch = Batch::new(&config, IMAGES);
        let run = |pool_threads: usize, threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(pool_threads).build().unwrap();
            pool.install(|| {
                let mut model = VisionModel::new(config.clone(), IMAGES, threads).unwrap();
                let mut gradients = vec![f32::NAN; parameters.len()];
                let mut results = Vec::new();
                for step in 0..3 {
                    let key = DropoutKey { seed: 1, step };
                    let (images, targets) = (&batch.images, batch.targets());
                    let loss = model
                        .loss_and_gradient(
                            &parameters,
                            &mut gradients,
                            &mut [],
                            images,
                            targets,
                            key,
                        )
                        .unwrap();
                    results.push(loss.to_bits());
                    results.extend(gradients.iter().map(|value| u64::from(value.to_bits())));
                }
                let mut logits = vec![f32::NAN; IMAGES * config.classes()];
                model.logits(&parameters, &[], &batch.images, &mut logits).unwrap();
                results.extend(logits.iter().map(|value| u64::from(value.to_bits())));
                results
            })
        };
        let alone = run(1, 1);
        for (pool_threads, threads) in [(2, 2), (3, 3), (3, 1), (1, 3)] {
            assert!(
                run(pool_threads, threads) == alone,
                "a pool of {pool_threads}, memory for {threads} threads: {config:?}"
            );
        }
        let steps: Vec<_> = alone.chunks(parameters.len() + 1).take(3).collect();
        assert!(steps[0] != steps[1] && steps[1] != steps[2], "every step draws its own masks");
    }
}

#[test]
fn a_batch_is_the_mean_of_its_images_whatever_the_cut() {
    for mut config in configurations() {
        match &mut config {
            VisionConfig::Vit(config) => config.dropout = 0.0,
            VisionConfig::Mlp(config) => config.dropout = 0.0,
            // Batch norm couples the images, and dropout there is none.
            VisionConfig::Cnn(_) | VisionConfig::Resnet(_) => continue,
        }
        let parameters: Vec<f64> = initial(&config, 7).into_iter().map(f64::from).collect();
        let batch = Batch::new(&config, IMAGES);
        let images: Vec<f64> = batch.images.iter().map(|value| f64::from(*value)).collect();
        let key = DropoutKey::default();
        let mut whole = vec![f64::NAN; parameters.len()];
        let mut model = VisionModel::new(config.clone(), IMAGES, 2).unwrap();
        let loss = model
            .loss_and_gradient(&parameters, &mut whole, &mut [], &images, batch.targets(), key)
            .unwrap();
        let mut logits = vec![f64::NAN; IMAGES * config.classes()];
        model.logits(&parameters, &[], &images, &mut logits).unwrap();

        let (mut sum, mut sum_of_losses) = (vec![0.0; parameters.len()], 0.0);
        let numbers = config.image().numbers();
        for (index, image) in images.chunks(numbers).enumerate() {
            let mut gradients = vec![f64::NAN; parameters.len()];
            let targets = wd_nn::Targets {
                first: &batch.first[index..=index],
                second: &batch.second[index..=index],
                share: &batch.share[index..=index],
            };
            sum_of_losses += model
                .loss_and_gradient(&parameters, &mut gradients, &mut [], image, targets, key)
                .unwrap();
            for (sum, gradient) in sum.iter_mut().zip(gradients) {
                *sum += gradient;
            }
            let mut alone = vec![f64::NAN; config.classes()];
            model.logits(&parameters, &[], image, &mut alone).unwrap();
            let of_batch = &logits[index * alone.len()..][..alone.len()];
            assert!(alone.iter().zip(of_batch).all(|(a, b)| (a - b).abs() < 1e-12));
        }
        assert!((sum_of_losses / IMAGES as f64 - loss).abs() < 1e-13 * loss);
        for (sum, whole) in sum.iter().zip(&whole) {
            assert!((sum / IMAGES as f64 - whole).abs() < 1e-13, "{sum} {whole}");
        }
    }
}
