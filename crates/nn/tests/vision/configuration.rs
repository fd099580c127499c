//! Layouts, initial weights, and what is refused.

use proptest::prelude::*;
use wd_decay::Role;
use wd_nn::{
    ClassLoss, DropoutKey, ImageShape, MlpConfig, NnError, Pool, Targets, VisionConfig,
    VisionModel, VitConfig,
};

use super::{Batch, IMAGE, initial, mlp, vit};

#[test]
fn deit_tiny_has_its_published_size() {
    // timm's deit_tiny_patch16_224 and deit_small_patch16_224, 5,717,416 and 22,050,664 parameters.
    let image = ImageShape { channels: 3, height: 224, width: 224 };
    let size = |width, heads| {
        VisionConfig::Vit(VitConfig::new(image, 1000, 16, 12, width, heads)).layout().len
    };
    assert_eq!((size(192, 3), size(384, 6)), (5_717_416, 22_050_664));
}

#[test]
fn segments_follow_each_other_without_gaps_and_say_what_they_are() {
    let expected = [
        ("embedding.patch.weight", vec![8, 2, 2, 2], Role::Convolution),
        ("embedding.patch.bias", vec![8], Role::Bias),
        ("embedding.class_token", vec![1, 8], Role::ClassToken),
        ("embedding.position.weight", vec![7, 8], Role::Position),
        ("block.1.attention.norm.weight", vec![8], Role::Norm),
        ("block.1.attention.qkv.bias", vec![24], Role::Bias),
        ("block.1.mlp.down.weight", vec![8, 32], Role::Matrix),
        ("head.weight", vec![5, 8], Role::Head),
        ("head.bias", vec![5], Role::Bias),
    ];
    let layout = VisionConfig::Vit(vit()).layout();
    let mut end = 0;
    for segment in &layout.segments {
        assert_eq!(segment.offset, end, "{}", segment.path);
        end += segment.len();
    }
    assert_eq!(end, layout.len);
    for (path, shape, role) in expected {
        let segment = layout.segment(path).unwrap_or_else(|| panic!("no {path}"));
        assert_eq!((&segment.shape, segment.role), (&shape, role), "{path}");
    }
    let mut mean = vit();
    (mean.pool, mean.qkv_bias) = (Pool::Mean, false);
    let layout = VisionConfig::Vit(mean).layout();
    assert!(layout.segment("embedding.class_token").is_none());
    assert!(layout.segment("block.0.attention.qkv.bias").is_none());
    let position = layout.segment("embedding.position.weight").unwrap();
    assert_eq!(position.shape, [6, 8]);

    let layout = VisionConfig::Mlp(mlp()).layout();
    let shapes: Vec<_> = layout
        .segments
        .iter()
        .map(|segment| (segment.path.as_str(), segment.shape.as_slice()))
        .collect();
    let expected: [(&str, &[usize]); 6] = [
        ("hidden.0.weight", &[9, 48]),
        ("hidden.0.bias", &[9]),
        ("hidden.1.weight", &[7, 9]),
        ("hidden.1.bias", &[7]),
        ("head.weight", &[5, 7]),
        ("head.bias", &[5]),
    ];
    assert_eq!(shapes, expected);
}

#[test]
fn initial_weights_have_the_declared_distribution() {
    let image = ImageShape { channels: 3, height: 32, width: 32 };
    for config in [
        VisionConfig::Vit(VitConfig::new(image, 100, 4, 1, 96, 3)),
        VisionConfig::Mlp(MlpConfig::new(image, 100, vec![64, 48])),
    ] {
        let parameters = initial(&config, 1);
        for segment in &config.layout().segments {
            let values = &parameters[segment.range()];
            let n = values.len() as f64;
            let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / n;
            let squares = values.iter().map(|value| (f64::from(*value) - mean).powi(2));
            let (variance, is_vit) =
                (squares.sum::<f64>() / n, matches!(config, VisionConfig::Vit(_)));
            let inputs = segment.shape.iter().skip(1).product::<usize>() as f64;
            let std = match segment.role {
                Role::Norm | Role::Bias => 0.0,
                Role::ClassToken => 1e-6,
                Role::Convolution => (1.0 / (3.0 * inputs)).sqrt(),
                _ if is_vit => 0.02,
                Role::Head => (1.0 / inputs).sqrt(),
                _ => (2.0 / inputs).sqrt(),
            };
            let expected_mean = f64::from(u8::from(segment.role == Role::Norm));
            // Five standard errors.
            assert!(
                (mean - expected_mean).abs() <= 5.0 * std / n.sqrt(),
                "{}: mean {mean}",
                segment.path
            );
            let tolerance = 5.0 * std * std * (2.0 / n).sqrt();
            assert!(
                (variance - std * std).abs() <= tolerance,
                "{}: variance {variance}",
                segment.path
            );
        }
    }
}

#[test]
fn impossible_configurations_are_named() {
    type Change = fn(&mut VitConfig);
    let cases: [(&str, Change, &str); 15] = [
        ("image.channels", |config| config.image.channels = 0, "1"),
        ("image.height", |config| config.image.height = 0, "1"),
        ("image", |config| config.image.height = 1 << 31, "2^32"),
        ("classes", |config| config.classes = 0, "at least 1"),
        ("patch", |config| config.patch = 0, "at least 1"),
        ("patch", |config| config.patch = 4, "divide the image's 4 rows and 6 columns"),
        ("layers", |config| config.layers = 0, "at least 1"),
        ("width", |config| config.width = 0, "at least 1"),
        ("heads", |config| config.heads = 0, "at least 1"),
        ("heads", |config| config.heads = 3, "divide the width, 8"),
        ("mlp_width", |config| config.mlp_width = Some(0), "at least 1"),
        ("dropout", |config| config.dropout = 1.0, "below 1"),
        ("norm_epsilon", |config| config.norm_epsilon = f64::NAN, "finite"),
        ("label_smoothing", |config| config.label_smoothing = Some(1.0), "below 1"),
        (
            "label_smoothing",
            |config| {
                (config.loss, config.label_smoothing) = (ClassLoss::MeanSquaredError, Some(0.0))
            },
            "squared error",
        ),
    ];
    for (name, change, requirement) in cases {
        let mut config = vit();
        change(&mut config);
        let config = VisionConfig::Vit(config);
        match config.validate() {
            Err(NnError::Configuration { field, requirement: words, .. }) => {
                assert!(field == name && words.contains(requirement), "{field}: {words}")
            }
            other => panic!("{name}: {other:?}"),
        }
        assert!(VisionModel::<f32>::new(config.clone(), 1, 1).is_err());
        assert!(config.initialize(1, &mut []).is_err());
    }
    let mut zero = mlp();
    zero.hidden[1] = 0;
    assert_eq!(
        zero.validate().unwrap_err().to_string(),
        "model.hidden = 0 is not possible: it has to be at least 1"
    );
    let huge = MlpConfig::new(IMAGE, 10, vec![1 << 32; 3]);
    assert!(huge.validate().unwrap_err().to_string().contains("address space"));
}

#[test]
fn wrong_batches_are_errors_that_touch_nothing() {
    for config in [VisionConfig::Vit(vit()), VisionConfig::Mlp(mlp())] {
        let parameters = initial(&config, 1);
        let batch = Batch::new(&config, 3);
        let mut gradients = vec![7.0f32; parameters.len()];
        let mut model = VisionModel::new(config.clone(), 3, 1).unwrap();
        let key = DropoutKey::default();
        let mut run = |images: &[f32], targets: Targets<'_>| {
            model
                .loss_and_gradient(&parameters, &mut gradients, &mut [], images, targets, key)
                .unwrap_err()
                .to_string()
        };
        let targets = batch.targets();
        assert_eq!(
            run(&batch.images[1..], targets),
            "images holds 143 numbers, but this model needs 1 to 3 images of 48 numbers"
        );
        assert!(run(&[], targets).starts_with("images holds 0"));
        assert!(run(&[0.0; 4 * 48], targets).starts_with("images holds 192"));
        let short = Targets { first: &targets.first[1..], ..targets };
        assert_eq!(
            run(&batch.images, short),
            "targets.first holds 2 numbers, but this model needs 3"
        );
        let label = Targets { first: &[0, 5, 1], ..targets };
        assert_eq!(
            run(&batch.images, label),
            "targets.first[1] is class 5, but the model has 5 classes (numbered from 0)"
        );
        let label = Targets { second: &[0, 1, u32::MAX], ..targets };
        assert!(run(&batch.images, label).starts_with("targets.second[2] is class 4294967295"));
        for share in [-0.1, 1.5, f32::NAN] {
            let shares = [1.0, share, 0.0];
            let share = Targets { share: &shares, ..targets };
            assert!(run(&batch.images, share).starts_with("targets.share[1] ="));
        }
        assert!(gradients.iter().all(|gradient| *gradient == 7.0));

        let mut logits = [0.0; 14];
        let error = model.logits(&parameters, &[], &batch.images, &mut logits);
        assert_eq!(
            error.unwrap_err().to_string(),
            "logits holds 14 numbers, but this model needs 15"
        );
        let error = model.logits(&parameters, &[0.0], &batch.images, &mut [0.0; 15]);
        assert!(error.unwrap_err().to_string().starts_with("running holds 1"));
        for (images, threads) in [(0, 1), (1, 0)] {
            assert!(matches!(
                VisionModel::<f32>::new(config.clone(), images, threads),
                Err(NnError::Configuration { .. })
            ));
        }
    }
}

#[test]
fn an_untrained_model_knows_nothing() {
    let config = VisionConfig::Vit(vit());
    let batch = Batch::new(&config, 4);
    let parameters = initial(&config, 1);
    let mut logits = vec![f32::NAN; 20];
    let mut model = VisionModel::new(config, 4, 1).unwrap();
    model.logits(&parameters, &[], &batch.images, &mut logits).unwrap();
    assert!(logits.iter().all(|logit| logit.abs() < 0.3), "{logits:?}");
}

#[test]
fn a_configuration_is_read_with_defaults_and_without_surprises() {
    let text = r#"{"kind": "vit", "patch": 2, "layers": 2, "width": 8, "heads": 2}"#;
    let config: VisionConfig = serde_json::from_str(text).unwrap();
    let config = config.on(IMAGE, 5);
    assert_eq!(config, VisionConfig::Vit(vit()));
    for config in [config, VisionConfig::Mlp(mlp())] {
        let written = serde_json::to_string(&config).unwrap();
        let read: VisionConfig = serde_json::from_str(&written).unwrap();
        assert_eq!(read.on(IMAGE, 5), config);
    }
    for (from, to) in [("heads", "head_count"), ("patch", "image"), ("vit", "vitamin")] {
        let error = serde_json::from_str::<VisionConfig>(&text.replace(from, to)).unwrap_err();
        assert!(error.to_string().contains(to), "{error}");
    }
    let smoothed = text.replace("}", r#", "loss": "cross-entropy", "label_smoothing": 0.1}"#);
    assert_eq!(serde_json::from_str::<VisionConfig>(&smoothed).unwrap().label_smoothing(), 0.1);
}

#[test]
fn work_is_counted_by_hand() {
    // 7 rows through 2 blocks of 12·8² weights, 2·7² pairs of 8 columns; 6 patches of 8 numbers; 5
    // classes.
    let expected =
        6.0 * 7.0 * 2.0 * 12.0 * 64.0 + 12.0 * 2.0 * 49.0 * 8.0 + 4.0 * 6.0 * 64.0 + 6.0 * 40.0;
    assert_eq!(VisionConfig::Vit(vit()).flops_per_image(), expected);
    let expected = 4.0 * 48.0 * 9.0 + 6.0 * 63.0 + 6.0 * 35.0;
    assert_eq!(VisionConfig::Mlp(mlp()).flops_per_image(), expected);
}

proptest! {
    #[test]
    fn no_sizes_make_it_panic(
        image in prop::array::uniform3(0usize..12),
        sizes in prop::array::uniform5(0usize..20),
        token in any::<bool>(),
    ) {
        let [channels, height, width] = image;
        let image = ImageShape { channels, height, width };
        let [classes, patch, layers, model_width, heads] = sizes;
        let mut vit = VitConfig::new(image, classes, patch, layers.min(3), model_width, heads);
        vit.pool = if token { Pool::Token } else { Pool::Mean };
        let mlp = MlpConfig::new(image, classes, vec![model_width, heads]);
        for config in [VisionConfig::Vit(vit), VisionConfig::Mlp(mlp)] {
            if config.validate().is_ok() {
                let parameters = initial(&config, 1);
                let mut gradients = vec![f32::NAN; parameters.len()];
                let batch = Batch::new(&config, 2);
                let mut model = VisionModel::new(config, 2, 1).unwrap();
                let key = DropoutKey::default();
                let loss = model
                    .loss_and_gradient(&parameters, &mut gradients, &mut [], &batch.images, batch.targets(), key)
                    .unwrap();
                prop_assert!(loss.is_finite() && gradients.iter().all(|gradient| gradient.is_finite()));
            }
        }
    }

    #[test]
    fn any_sizes_at_all_are_accepted_or_refused(
        image in prop::array::uniform3(any::<usize>()),
        sizes in prop::array::uniform5(any::<usize>()),
    ) {
        let [channels, height, width] = image;
        let image = ImageShape { channels, height, width };
        let [classes, patch, layers, model_width, heads] = sizes;
        let _ = VitConfig::new(image, classes, patch, layers, model_width, heads).validate();
        let _ = MlpConfig::new(image, classes, vec![layers, model_width, heads]).validate();
    }
}
