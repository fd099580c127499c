//! Convolutional networks as their users see them: what is refused, and what must not change a bit.

use wd_nn::{
    CnnConfig, DropoutKey, ImageNorm, ImageShape, NnError, ResnetConfig, Stem, Targets,
    VisionConfig, VisionModel,
};

const IMAGE: ImageShape = ImageShape { channels: 3, height: 16, width: 12 };

fn cnn() -> CnnConfig {
    CnnConfig::new(IMAGE, 5, vec![12, 20])
}

fn resnet(depth: usize) -> ResnetConfig {
    let mut config = ResnetConfig::new(IMAGE, 5, depth);
    config.width = Some(6);
    config
}

/// Batches, parameters and statistics of a model.
struct Setting {
    config: VisionConfig,
    parameters: Vec<f32>,
    running: Vec<f32>,
}

impl Setting {
    fn new(config: VisionConfig) -> Self {
        let mut parameters = vec![0.0; config.layout().len];
        config.initialize(3, &mut parameters).unwrap();
        let statistics = config.running_statistics();
        let mut running = vec![0.0; statistics.len];
        for segment in &statistics.segments {
            running[segment.range()].fill(segment.initial_mean as f32);
        }
        Self { config, parameters, running }
    }

    /// Three steps, then the logits; every bit of what they give.
    fn run(&self, images: usize, pool_threads: usize, threads: usize) -> Vec<u64> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(pool_threads).build().unwrap();
        let batch = batch(images);
        let labels: Vec<u32> = (0..images).map(|image| (image % 5) as u32).collect();
        let share = vec![1.0; images];
        let targets = Targets { first: &labels, second: &labels, share: &share };
        pool.install(|| {
            let mut model = VisionModel::new(self.config.clone(), images, threads).unwrap();
            let (mut parameters, mut running) = (self.parameters.clone(), self.running.clone());
            let mut gradients = vec![f32::NAN; parameters.len()];
            let mut bits = Vec::new();
            for _ in 0..3 {
                let key = DropoutKey::default();
                let loss = model
                    .loss_and_gradient(
                        &parameters,
                        &mut gradients,
                        &mut running,
                        &batch,
                        targets,
                        key,
                    )
                    .unwrap();
                bits.push(loss.to_bits());
                for (parameter, gradient) in parameters.iter_mut().zip(&gradients) {
                    *parameter -= 0.05 * gradient;
                }
            }
            let mut logits = vec![f32::NAN; images * 5];
            model.logits(&parameters, &running, &batch, &mut logits).unwrap();
            let numbers = parameters.iter().chain(&running).chain(&logits);
            bits.extend(numbers.map(|number| u64::from(number.to_bits())));
            bits
        })
    }
}

fn batch(images: usize) -> Vec<f32> {
    (0..images * IMAGE.numbers())
        .map(|index| ((index * 7919) % 1013) as f32 / 506.0 - 1.0)
        .collect()
}

#[test]
fn bits_do_not_depend_on_threads() {
    let mut group = cnn();
    group.norm = ImageNorm::Group;
    // Its second layer is wide enough for Winograd's products.
    let wide = CnnConfig::new(IMAGE, 5, vec![32, 33]);
    for config in [
        VisionConfig::Cnn(cnn()),
        VisionConfig::Cnn(group),
        VisionConfig::Cnn(wide),
        VisionConfig::Resnet(resnet(14)),
        VisionConfig::Resnet(resnet(18)),
    ] {
        let setting = Setting::new(config);
        let alone = setting.run(37, 1, 1);
        for (pool_threads, threads) in [(2, 2), (3, 3), (3, 1), (1, 3)] {
            assert!(
                setting.run(37, pool_threads, threads) == alone,
                "{:?}: a pool of {pool_threads}, memory for {threads} threads",
                setting.config
            );
        }
    }
}

#[test]
fn training_fits_a_batch_and_evaluation_then_agrees() {
    for config in [
        VisionConfig::Cnn(cnn()),
        VisionConfig::Resnet(resnet(8)),
        VisionConfig::Resnet(resnet(18)),
    ] {
        let mut setting = Setting::new(config);
        let images = 20;
        let mut batch = batch(images);
        let labels: Vec<u32> = (0..images).map(|image| (image % 5) as u32).collect();
        // Stripes as wide as the class's number.
        for (image, pixels) in batch.chunks_exact_mut(IMAGE.numbers()).enumerate() {
            for (index, pixel) in pixels.iter_mut().enumerate() {
                *pixel += (index / IMAGE.channels / (image % 5 + 1) % 2) as f32;
            }
        }
        let share = vec![1.0; images];
        let targets = Targets { first: &labels, second: &labels, share: &share };
        let mut model = VisionModel::new(setting.config.clone(), images, 1).unwrap();
        let mut gradients = vec![0.0; setting.parameters.len()];
        let mut losses = Vec::new();
        for _ in 0..120 {
            let loss = model
                .loss_and_gradient(
                    &setting.parameters,
                    &mut gradients,
                    &mut setting.running,
                    &batch,
                    targets,
                    DropoutKey::default(),
                )
                .unwrap();
            losses.push(loss);
            for (parameter, gradient) in setting.parameters.iter_mut().zip(&gradients) {
                *parameter -= 0.1 * gradient;
            }
        }
        assert!(losses[119] < 0.1 * losses[0], "{losses:?}");
        // The running statistics have come near the batch's: evaluation sees what training saw.
        let mut logits = vec![0.0f32; images * 5];
        model.logits(&setting.parameters, &setting.running, &batch, &mut logits).unwrap();
        let right = logits.chunks_exact(5).zip(&labels).filter(|(row, label)| {
            let best = (0..5).max_by(|a, b| row[*a].total_cmp(&row[*b]));
            best == Some(**label as usize)
        });
        assert_eq!(right.count(), images);
    }
}

#[test]
fn a_batch_norm_of_one_value_is_refused_and_says_what_to_do() {
    let image = ImageShape { channels: 3, height: 4, width: 4 };
    // 4×4, 2×2, 1×1 pixels.
    let mut config = ResnetConfig::new(image, 5, 8);
    let run = |config: &ResnetConfig, images: usize| {
        let setting = Setting::new(VisionConfig::Resnet(config.clone()));
        let mut model = VisionModel::new(setting.config.clone(), 2, 1).unwrap();
        let pixels: Vec<f32> = (0..images * 48).map(|pixel| pixel as f32 / 50.0).collect();
        let (labels, share) = (vec![1; images], vec![1.0; images]);
        let targets = Targets { first: &labels, second: &labels, share: &share };
        let (mut running, parameters) = (setting.running.clone(), &setting.parameters);
        let mut gradients = vec![7.0; parameters.len()];
        let key = DropoutKey::default();
        let result = model.loss_and_gradient(
            parameters,
            &mut gradients,
            &mut running,
            &pixels,
            targets,
            key,
        );
        // Nothing was touched.
        assert!(
            result.is_ok() || (gradients.iter().all(|g| *g == 7.0) && running == setting.running)
        );
        result
    };
    assert!(run(&config, 2).is_ok());
    assert_eq!(run(&config, 1), Err(NnError::BatchOfOne));
    assert_eq!(
        NnError::BatchOfOne.to_string(),
        "batch norm needs more than one value a channel to train, but the batch is one image and a layer of it one \
         pixel: use a larger batch, a larger image, or group norm"
    );
    config.norm = ImageNorm::Group;
    assert!(run(&config, 1).is_ok());
}

/// The message with which a configuration is refused.
fn refusal(config: &VisionConfig) -> String {
    config.validate().unwrap_err().to_string()
}

#[test]
fn impossible_shapes_are_refused() {
    let cnn_with = |change: &dyn Fn(&mut CnnConfig)| {
        let mut config = cnn();
        change(&mut config);
        refusal(&VisionConfig::Cnn(config))
    };
    assert_eq!(
        cnn_with(&|config| config.channels.clear()),
        "model.channels = [] is not possible: it has to name at least one block's channels"
    );
    assert_eq!(
        cnn_with(&|config| config.channels = vec![8; 4]),
        "model.image = 12 is not possible: 4 blocks halve the image as many times: it needs sides of at least 2^4"
    );
    assert_eq!(
        cnn_with(&|config| config.kernel = 4),
        "model.kernel = 4 is not possible: it has to be odd and at most 31"
    );
    assert_eq!(
        cnn_with(&|config| config.groups = 8),
        "model.channels = 12 is not possible: it has to be a multiple of groups, 8"
    );
    assert_eq!(
        cnn_with(&|config| config.channels = vec![1 << 40]),
        "model.channels = 1099511627776 is not possible: it may be at most 2^32"
    );
    assert_eq!(
        cnn_with(&|config| config.convolutions = 0),
        "model.convolutions = 0 is not possible: it has to be at least 1"
    );
    for depth in [0, 2, 19, 1_000_000_007, usize::MAX] {
        let config = VisionConfig::Resnet(resnet(depth));
        let expected = format!(
            "model.depth = {depth} is not possible: it has to be 6n + 2 (8, 14, 20, … 1202) or 18"
        );
        assert_eq!(refusal(&config), expected);
    }
    let mut large = resnet(20);
    large.stem = Stem::Large;
    assert_eq!(
        refusal(&VisionConfig::Resnet(large)),
        "model.stem = large is not possible: only depth 18 has a large stem"
    );
    let mut wide = resnet(20);
    wide.image.height = 1 << 16;
    wide.image.width = 1 << 14;
    assert_eq!(
        refusal(&VisionConfig::Resnet(wide)),
        "model.image = 65536 is not possible: a layer of the model may hold at most 2^32 numbers an image"
    );
}

#[test]
fn a_configuration_reads_back_and_unknown_keys_are_refused() {
    for config in [VisionConfig::Cnn(cnn()), VisionConfig::Resnet(resnet(18))] {
        let text = serde_json::to_string(&config).unwrap();
        let read: VisionConfig = serde_json::from_str(&text).unwrap();
        assert_eq!(read.on(config.image(), config.classes()), config);
        // The size of the images is no key: the data tell it.
        for key in ["imagery", "image", "classes"] {
            let unknown = text.replacen('}', &format!(",\"{key}\":1}}"), 1);
            let error = serde_json::from_str::<VisionConfig>(&unknown).unwrap_err();
            assert!(error.to_string().contains(&format!("unknown field `{key}`")), "{error}");
        }
    }
}

#[test]
fn parameters_are_as_many_as_published() {
    let image = ImageShape { channels: 3, height: 224, width: 224 };
    let mut config = ResnetConfig::new(image, 1000, 18);
    config.stem = Stem::Large;
    // torchvision's documentation of ResNet18_Weights: num_params.
    assert_eq!(VisionConfig::Resnet(config).layout().len, 11_689_512);
    let image = ImageShape { channels: 3, height: 32, width: 32 };
    // He et al. (1512.03385), table 6: 0.27 M.
    let parameters = VisionConfig::Resnet(ResnetConfig::new(image, 10, 20)).layout().len;
    assert!((265_000..275_000).contains(&parameters), "{parameters}");
}
