//! How fast is a training step of an image classifier (forward and backward, no optimizer)?
//!
//! ```text
//! cargo run --release -p wd-nn --example vision_speed -- --shape cnn|resnet20|resnet18|vit [--threads N] [--steps N]
//!     [--batch N]
//! ```
//!
//! One untimed step, then `--steps` timed ones on a batch of random 32×32 colour images; one line
//! of JSON.

use std::time::Instant;

use wd_nn::{
    CnnConfig, DropoutKey, ImageShape, ResnetConfig, Targets, VisionConfig, VisionModel, VitConfig,
};

const IMAGE: ImageShape = ImageShape { channels: 3, height: 32, width: 32 };
const CLASSES: usize = 10;

fn config(shape: &str) -> Option<VisionConfig> {
    Some(match shape {
        "cnn" => VisionConfig::Cnn(CnnConfig::new(IMAGE, CLASSES, vec![64, 128, 256])),
        "resnet20" => VisionConfig::Resnet(ResnetConfig::new(IMAGE, CLASSES, 20)),
        "resnet18" => VisionConfig::Resnet(ResnetConfig::new(IMAGE, CLASSES, 18)),
        "vit" => VisionConfig::Vit(VitConfig::new(IMAGE, CLASSES, 4, 6, 192, 3)),
        _ => return None,
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut shape, mut threads, mut steps, mut batch) = ("cnn".to_owned(), 1, 5, 128);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || {
            let missing = format!("{argument} needs a value");
            arguments.next().ok_or(missing)
        };
        match argument.as_str() {
            "--shape" => shape = value()?,
            "--threads" => threads = value()?.parse()?,
            "--steps" => steps = value()?.parse()?,
            "--batch" => batch = value()?.parse()?,
            _ => return Err(format!("unknown option {argument}").into()),
        }
    }
    let config = config(&shape)
        .ok_or_else(|| format!("unknown shape {shape}; known: cnn, resnet20, resnet18, vit"))?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    pool.install(|| measure(&shape, config, batch, threads, steps))?;
    Ok(())
}

fn measure(
    shape: &str,
    config: VisionConfig,
    batch: usize,
    threads: usize,
    steps: usize,
) -> Result<(), wd_nn::NnError> {
    let mut parameters = vec![0.0f32; config.layout().len];
    config.initialize(1, &mut parameters)?;
    let mut gradients = vec![0.0f32; parameters.len()];
    let statistics = config.running_statistics();
    let mut running = vec![0.0f32; statistics.len];
    for segment in &statistics.segments {
        running[segment.range()].fill(segment.initial_mean as f32);
    }
    // SplitMix64's multiplier: any numbers without a pattern do.
    let pixel = |index: usize| {
        let bits = (index as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40;
        bits as f32 / (1u64 << 23) as f32 - 1.0
    };
    let images: Vec<f32> = (0..batch * IMAGE.numbers()).map(pixel).collect();
    let labels: Vec<u32> = (0..batch).map(|image| (image % CLASSES) as u32).collect();
    let shares = vec![1.0; batch];
    let targets = Targets { first: &labels, second: &labels, share: &shares };
    let flops = config.flops_per_image();
    let mut model = VisionModel::<f32>::new(config, batch, threads)?;
    let mut seconds = Vec::new();
    let mut loss = 0.0;
    for step in 0..=steps {
        let start = Instant::now();
        let key = DropoutKey { seed: 1, step: step as u64 };
        loss = model.loss_and_gradient(
            &parameters,
            &mut gradients,
            &mut running,
            &images,
            targets,
            key,
        )?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    let mut seconds = seconds.split_off(1);
    seconds.sort_by(f64::total_cmp);
    let (median, best) = (seconds[seconds.len() / 2], seconds[0]);
    let rate = batch as f64 / median;
    println!(
        "{{\"shape\":\"{shape}\",\"threads\":{threads},\"batch\":{batch},\"steps\":{steps},\"loss\":{loss},\
         \"images_per_second\":{rate:.1},\"best_images_per_second\":{:.1},\"gflops\":{:.1},\"model_bytes\":{}}}",
        batch as f64 / best,
        rate * flops / 1e9,
        model.memory_bytes(),
    );
    Ok(())
}
