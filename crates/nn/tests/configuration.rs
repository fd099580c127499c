//! Layouts, initial weights, and what is refused.

use proptest::prelude::*;
use wd_decay::Role;
use wd_nn::{Activation, DropoutKey, Gpt, GptConfig, NnError, Norm, Position};

fn initial(config: &GptConfig, seed: u64) -> Vec<f32> {
    let mut parameters = vec![f32::NAN; config.layout().len];
    config.initialize(seed, &mut parameters).unwrap();
    parameters
}

#[test]
fn the_layout_of_gpt2_small_has_its_published_size() {
    let config = GptConfig::new(50_257, 1024, 12, 768, 12);
    assert_eq!(config.layout().len, 124_439_808);
}

#[test]
fn segments_follow_each_other_without_gaps_and_say_what_they_are() {
    let mut config = GptConfig::new(50, 8, 2, 12, 2);
    config.tied_head = false;
    config.qk_norm = true;
    config.activation = Activation::SwiGlu;
    let layout = config.layout();
    let mut end = 0;
    for segment in &layout.segments {
        assert_eq!(segment.offset, end, "{}", segment.path);
        end += segment.len();
    }
    assert_eq!(end, layout.len);
    let expected = [
        ("embedding.token.weight", vec![50, 12], Role::Embedding),
        ("embedding.position.weight", vec![8, 12], Role::Position),
        ("block.1.attention.norm.weight", vec![12], Role::Norm),
        ("block.1.attention.norm.bias", vec![12], Role::Bias),
        ("block.1.attention.qkv.weight", vec![36, 12], Role::Matrix),
        ("block.1.attention.key_norm.weight", vec![6], Role::Norm),
        ("block.1.mlp.gate.weight", vec![32, 12], Role::Matrix),
        ("block.1.mlp.up.bias", vec![32], Role::Bias),
        ("block.1.mlp.down.weight", vec![12, 32], Role::Matrix),
        ("final_norm.bias", vec![12], Role::Bias),
        ("head.weight", vec![50, 12], Role::Head),
    ];
    for (path, shape, role) in expected {
        let segment = layout.segment(path).unwrap_or_else(|| panic!("no {path}"));
        assert_eq!((&segment.shape, segment.role), (&shape, role), "{path}");
    }
    assert!(layout.segment("block.2.mlp.up.weight").is_none());
}

#[test]
fn options_add_and_remove_tensors() {
    let base = GptConfig::new(50, 8, 1, 12, 2);
    let paths = |change: &dyn Fn(&mut GptConfig)| {
        let mut config = base.clone();
        change(&mut config);
        config.layout().segments.into_iter().map(|segment| segment.path).collect::<Vec<_>>()
    };
    let all = paths(&|_| {});
    assert!(!all.iter().any(|path| path == "head.weight"));
    assert!(!paths(&|config| config.bias = false).iter().any(|path| path.ends_with("bias")));
    let rms = paths(&|config| config.norm = Norm::RmsNorm);
    assert!(
        !rms.iter().any(|path| path.contains("norm.bias"))
            && rms.iter().any(|path| path.ends_with("up.bias"))
    );
    assert!(
        !paths(&|config| config.position = Position::Rope)
            .iter()
            .any(|path| path.contains("position"))
    );
}

#[test]
fn initial_weights_have_the_declared_distribution() {
    let config = GptConfig::new(500, 64, 3, 96, 4);
    let parameters = initial(&config, 1);
    for segment in &config.layout().segments {
        let values = &parameters[segment.range()];
        let n = values.len() as f64;
        let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / n;
        let variance =
            values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / n;
        let expected = match segment.role {
            Role::Norm => (1.0, 0.0),
            Role::Bias => (0.0, 0.0),
            _ if segment.path.contains("projection") || segment.path.contains("down") => {
                (0.0, 0.02 / 6f64.sqrt())
            }
            _ => (0.0, 0.02),
        };
        let (expected_mean, std) = expected;
        // Five standard errors.
        assert!(
            (mean - expected_mean).abs() <= 5.0 * std / n.sqrt(),
            "{}: mean {mean}",
            segment.path
        );
        let tolerance = 5.0 * std * std * (2.0 / n).sqrt();
        assert!((variance - std * std).abs() <= tolerance, "{}: variance {variance}", segment.path);
        assert_eq!((segment.initial_mean, segment.initial_std), expected, "{}", segment.path);
    }
}

#[test]
fn a_tensors_initial_weights_depend_on_the_seed_and_its_path_alone() {
    let config = GptConfig::new(50, 8, 2, 12, 2);
    let mut other = config.clone();
    other.tied_head = false;
    other.qk_norm = true;
    let (parameters, others) = (initial(&config, 1), initial(&other, 1));
    for segment in &config.layout().segments {
        let layout = other.layout();
        let same = layout.segment(&segment.path).unwrap();
        assert_eq!(parameters[segment.range()], others[same.range()], "{}", segment.path);
    }
    assert_ne!(parameters, initial(&config, 2));
    let layout = config.layout();
    let values = |path| &parameters[layout.segment(path).unwrap().range()];
    assert_ne!(values("block.0.mlp.up.weight"), values("block.1.mlp.up.weight"));
}

#[test]
fn an_untrained_model_knows_nothing() {
    let config = GptConfig::new(300, 16, 2, 32, 4);
    let parameters = initial(&config, 1);
    let tokens: Vec<u32> = (0..64).map(|index| index * 7 % 300).collect();
    let mut gpt = Gpt::new(config, 4, 1).unwrap();
    let targets: Vec<u32> = (0..64).map(|index| index * 11 % 300).collect();
    let loss = gpt.loss(&parameters, &tokens, &targets).unwrap();
    assert!((loss - 300f64.ln()).abs() < 0.1, "{loss}");
}

#[test]
fn impossible_configurations_are_named() {
    type Change = fn(&mut GptConfig);
    let cases: [(&str, Change); 12] = [
        ("vocabulary", |config| config.vocabulary = 0),
        ("context", |config| config.context = 0),
        ("layers", |config| config.layers = 0),
        ("width", |config| config.width = 0),
        ("heads", |config| config.heads = 0),
        ("heads", |config| config.heads = 5),
        ("mlp_width", |config| config.mlp_width = Some(0)),
        ("norm_epsilon", |config| config.norm_epsilon = -1.0),
        ("rope_base", |config| config.rope_base = f64::NAN),
        ("dropout", |config| config.dropout = 1.0),
        ("init_std", |config| config.init_std = f64::INFINITY),
        ("width", |config| {
            config.width = 1 << 28;
            config.layers = 1 << 32;
        }),
    ];
    for (name, change) in cases {
        let mut config = GptConfig::new(10, 4, 1, 8, 2);
        change(&mut config);
        match config.validate() {
            Err(NnError::Configuration { field, .. }) => assert_eq!(field, name),
            other => panic!("{name}: {other:?}"),
        }
    }
    let mut odd = GptConfig::new(10, 4, 1, 6, 2);
    odd.position = Position::Rope;
    let message = odd.validate().unwrap_err().to_string();
    assert_eq!(message, "model.heads = 2 is not possible: RoPE needs an even width / heads, not 3");
}

#[test]
fn wrong_lengths_and_tokens_are_errors_that_touch_nothing() {
    let config = GptConfig::new(10, 4, 1, 8, 2);
    let parameters = initial(&config, 1);
    let mut gradients = vec![7.0f32; parameters.len()];
    let mut gpt = Gpt::new(config.clone(), 2, 1).unwrap();
    let key = DropoutKey::default();
    let mut run = |parameters: &[f32], inputs: &[u32], targets: &[u32]| {
        gpt.loss_and_gradient(parameters, &mut gradients, inputs, targets, key)
            .unwrap_err()
            .to_string()
    };
    assert!(run(&parameters[1..], &[0; 8], &[0; 8]).starts_with("parameters holds"));
    assert_eq!(
        run(&parameters, &[0; 7], &[0; 7]),
        "inputs holds 7 numbers, but this model needs 1 to 2 sequences of 4 tokens"
    );
    assert!(run(&parameters, &[], &[]).starts_with("inputs holds 0"));
    assert!(run(&parameters, &[0; 12], &[0; 12]).starts_with("inputs holds 12"));
    assert!(run(&parameters, &[0; 8], &[0; 4]).starts_with("targets holds 4"));
    assert_eq!(
        run(&parameters, &[0, 1, 2, 10], &[0; 4]),
        "inputs[3] is token 10, but the vocabulary has 10 tokens (ids from 0)"
    );
    assert!(
        run(&parameters, &[0; 4], &[0, u32::MAX, 0, 0])
            .starts_with("targets[1] is token 4294967295")
    );
    assert!(gradients.iter().all(|gradient| *gradient == 7.0));
    let short = gpt.loss_and_gradient(&parameters, &mut gradients[1..], &[0; 4], &[0; 4], key);
    assert!(matches!(short, Err(NnError::Length { what: "gradients", .. })));
    assert!(matches!(Gpt::<f32>::new(config.clone(), 0, 1), Err(NnError::Configuration { .. })));
    assert!(matches!(Gpt::<f32>::new(config.clone(), 1, 0), Err(NnError::Configuration { .. })));
    assert!(matches!(config.initialize(1, &mut [0.0; 3]), Err(NnError::Length { .. })));
}

#[test]
fn a_configuration_is_read_with_defaults_and_without_surprises() {
    let text = r#"{"vocabulary": 10, "context": 4, "layers": 1, "width": 8, "heads": 2}"#;
    let config: GptConfig = serde_json::from_str(text).unwrap();
    assert_eq!(config, GptConfig::new(10, 4, 1, 8, 2));
    let again: GptConfig = serde_json::from_str(&serde_json::to_string(&config).unwrap()).unwrap();
    assert_eq!(again, config);
    let unknown = text.replace("heads", "head_count");
    assert!(
        serde_json::from_str::<GptConfig>(&unknown).unwrap_err().to_string().contains("head_count")
    );
    let mut swiglu = GptConfig::new(10, 4, 1, 768, 12);
    swiglu.activation = Activation::SwiGlu;
    assert_eq!((config.hidden(), swiglu.hidden()), (32, 2048));
}

proptest! {
    #[test]
    fn no_sizes_make_it_panic(sizes in prop::array::uniform5(0usize..40), hidden in prop::option::of(0usize..40)) {
        let [vocabulary, context, layers, width, heads] = sizes;
        let mut config = GptConfig::new(vocabulary, context, layers.min(3), width, heads);
        config.mlp_width = hidden;
        if config.validate().is_ok() {
            let parameters = initial(&config, 1);
            let mut gradients = vec![f32::NAN; parameters.len()];
            let tokens = vec![0; 2 * context];
            let mut gpt = Gpt::new(config, 2, 1).unwrap();
            let key = DropoutKey::default();
            let loss = gpt.loss_and_gradient(&parameters, &mut gradients, &tokens, &tokens, key).unwrap();
            prop_assert!(loss.is_finite() && gradients.iter().all(|gradient| gradient.is_finite()));
        }
    }

    #[test]
    fn any_sizes_at_all_are_accepted_or_refused(sizes in prop::array::uniform5(any::<usize>())) {
        let [vocabulary, context, layers, width, heads] = sizes;
        let _ = GptConfig::new(vocabulary, context, layers, width, heads).validate();
    }
}
