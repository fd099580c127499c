//! Policies on the tensors of a GPT and of a vision transformer: who decays, with which λ, for
//! which reason.

use wd_decay::{Choice, DecayError, DecayPolicy, Preset, Role, TensorDescription};

const WIDTH: &[usize] = &[64];
const SQUARE: &[usize] = &[64, 64];

fn gpt() -> Vec<TensorDescription<'static>> {
    let tensor = |path, shape, role| TensorDescription { path, shape, role };
    vec![
        tensor("embedding.token.weight", &[1024, 64], Role::Embedding),
        tensor("embedding.position.weight", &[128, 64], Role::Position),
        tensor("block.0.attention.norm.weight", WIDTH, Role::Norm),
        tensor("block.0.attention.norm.bias", WIDTH, Role::Bias),
        tensor("block.0.attention.qkv.weight", &[192, 64], Role::Matrix),
        tensor("block.0.attention.qkv.bias", &[192], Role::Bias),
        tensor("block.0.attention.projection.weight", SQUARE, Role::Matrix),
        tensor("block.0.mlp.up.weight", &[256, 64], Role::Matrix),
        tensor("block.0.mlp.down.weight", &[64, 256], Role::Matrix),
        tensor("block.1.mlp.up.weight", &[256, 64], Role::Matrix),
        tensor("final_norm.weight", WIDTH, Role::Norm),
        tensor("head.weight", &[1024, 64], Role::Head),
    ]
}

/// The shapes of timm's `VisionTransformer`: positions and the class token are 3-D there.
fn vit() -> Vec<TensorDescription<'static>> {
    let tensor = |path, shape, role| TensorDescription { path, shape, role };
    vec![
        tensor("patch.weight", &[64, 3, 4, 4], Role::Convolution),
        tensor("patch.bias", WIDTH, Role::Bias),
        tensor("class_token", &[1, 1, 64], Role::ClassToken),
        tensor("position", &[1, 65, 64], Role::Position),
        tensor("block.0.attention.norm.weight", WIDTH, Role::Norm),
        tensor("block.0.attention.qkv.weight", &[192, 64], Role::Matrix),
        tensor("head.weight", &[10, 64], Role::Head),
        tensor("head.bias", &[10], Role::Bias),
    ]
}

fn choose(preset: Preset, overrides: &[(&str, f64)]) -> Result<Vec<Choice>, DecayError> {
    let overrides = overrides.iter().map(|(glob, lambda)| ((*glob).to_owned(), *lambda)).collect();
    DecayPolicy { preset, overrides }.choose(0.1, &gpt())
}

fn decayed_roles(preset: Preset, tensors: &[TensorDescription<'_>]) -> Vec<Role> {
    let policy = DecayPolicy { preset, overrides: Vec::new() };
    let choices = policy.choose(0.1, tensors).unwrap();
    let mut roles: Vec<Role> = tensors
        .iter()
        .zip(&choices)
        .filter(|(_, choice)| choice.lambda > 0.0)
        .inspect(|(_, choice)| assert_eq!(choice.lambda, 0.1))
        .map(|(tensor, _)| tensor.role)
        .collect();
    roles.sort();
    roles.dedup();
    roles
}

#[test]
fn presets_decay_the_roles_of_their_table() {
    use Role::{Bias, ClassToken, Convolution, Embedding, Head, Matrix, Norm, Position};
    let of_gpt = |preset| decayed_roles(preset, &gpt());
    let nanogpt = [Matrix, Embedding, Position, Head];
    assert_eq!(of_gpt(Preset::Nanogpt), nanogpt);
    assert_eq!(of_gpt(Preset::Hf), nanogpt);
    assert_eq!(of_gpt(Preset::Olmo), [Matrix, Head, Norm, Bias]);
    assert_eq!(of_gpt(Preset::Timm), [Matrix, Embedding, Head]);
    assert_eq!(of_gpt(Preset::Matrices), [Matrix, Head]);
    assert_eq!(of_gpt(Preset::Everything), [Matrix, Embedding, Position, Head, Norm, Bias]);

    let of_vit = |preset| decayed_roles(preset, &vit());
    let nanogpt = [Matrix, Convolution, Position, ClassToken, Head];
    assert_eq!(of_vit(Preset::Nanogpt), nanogpt);
    assert_eq!(of_vit(Preset::Hf), nanogpt);
    assert_eq!(of_vit(Preset::Olmo), [Matrix, Convolution, Head, Norm, Bias]);
    assert_eq!(of_vit(Preset::Timm), [Matrix, Convolution, Head]);
    assert_eq!(of_vit(Preset::Deit), [Matrix, Convolution, Head]);
    assert_eq!(of_vit(Preset::Matrices), [Matrix, Convolution, Head]);
    assert_eq!(
        of_vit(Preset::Everything),
        [Matrix, Convolution, Position, ClassToken, Head, Norm, Bias]
    );
}

#[test]
fn timm_says_why_it_leaves_a_tensor_out() {
    let policy = DecayPolicy { preset: Preset::Timm, overrides: Vec::new() };
    let reasons: Vec<String> =
        policy.choose(0.1, &vit()).unwrap().into_iter().map(|choice| choice.reason()).collect();
    assert_eq!(reasons[0], "4-D: decays (timm)");
    assert_eq!(reasons[1], "bias: no decay (timm)");
    assert_eq!(reasons[2], "class token: no decay (timm)");
    assert_eq!(reasons[3], "position embedding: no decay (timm)");
    assert_eq!(reasons[4], "1-D norm gain: no decay (timm)");
}

#[test]
fn nanogpt_goes_by_dimensions_and_hf_by_kind() {
    let odd = [
        TensorDescription { path: "gain", shape: &[4, 16], role: Role::Norm },
        TensorDescription { path: "matrix", shape: &[64], role: Role::Matrix },
    ];
    let lambdas = |preset| {
        let policy = DecayPolicy { preset, overrides: Vec::new() };
        let choices = policy.choose(0.1, &odd).unwrap();
        (choices[0].lambda, choices[1].lambda)
    };
    assert_eq!(lambdas(Preset::Nanogpt), (0.1, 0.0));
    assert_eq!(lambdas(Preset::Hf), (0.0, 0.1));
}

#[test]
fn every_choice_says_why() {
    let reasons = |preset| -> Vec<String> {
        choose(preset, &[]).unwrap().into_iter().map(|choice| choice.reason()).collect()
    };
    let nanogpt = reasons(Preset::Nanogpt);
    assert_eq!(nanogpt[0], "2-D: decays (nanogpt)");
    assert_eq!(nanogpt[2], "1-D norm gain: no decay (nanogpt)");
    assert_eq!(nanogpt[3], "1-D bias: no decay (nanogpt)");
    assert_eq!(reasons(Preset::Hf)[2], "norm gain: no decay (hf)");
    assert_eq!(reasons(Preset::Olmo)[0], "token embedding: no decay (olmo)");
    assert_eq!(reasons(Preset::Everything)[11], "output head: decays (everything)");
}

#[test]
fn overrides_set_lambda_itself_and_the_last_one_wins() {
    let choices = choose(
        Preset::Nanogpt,
        &[("block.*.mlp.*", 0.05), ("block.1.*", 0.0), ("*norm.weight", 0.3)],
    )
    .unwrap();
    let by_path =
        |path: &str| &choices[gpt().iter().position(|tensor| tensor.path == path).unwrap()];
    assert_eq!(by_path("block.0.mlp.up.weight").lambda, 0.05);
    assert_eq!(by_path("block.0.mlp.up.weight").reason(), "override `block.*.mlp.*`");
    assert_eq!(by_path("block.1.mlp.up.weight").lambda, 0.0);
    assert_eq!(by_path("block.0.attention.norm.weight").lambda, 0.3);
    assert_eq!(by_path("final_norm.weight").lambda, 0.3);
    assert_eq!(by_path("block.0.attention.qkv.weight").lambda, 0.1);
}

#[test]
fn an_override_that_matches_nothing_is_an_error_that_names_the_nearest_path() {
    let error = choose(Preset::Nanogpt, &[("block.0.mpl.up.weight", 0.05)]).unwrap_err();
    let DecayError::UnmatchedGlob { glob, nearest } = &error else { panic!("{error}") };
    assert_eq!(glob, "block.0.mpl.up.weight");
    assert!(nearest.starts_with("`block.0.mlp.up.weight`, "), "{nearest}");
    let error = choose(Preset::Nanogpt, &[("embeding.tok.*", 0.0)]).unwrap_err();
    assert!(error.to_string().contains("nearest: `embedding.token.weight`"), "{error}");
    let policy = DecayPolicy { preset: Preset::Hf, overrides: vec![("*".to_owned(), 0.1)] };
    assert!(policy.choose(0.1, &[]).unwrap_err().to_string().ends_with("there are none"));
}

#[test]
fn nonsense_is_refused() {
    assert!(matches!(choose(Preset::Hf, &[("block.[", 0.1)]), Err(DecayError::InvalidGlob { .. })));
    for lambda in [-0.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            choose(Preset::Hf, &[("block.*", lambda)]),
            Err(DecayError::InvalidLambda { .. })
        ));
        assert!(matches!(
            DecayPolicy::default().choose(lambda, &gpt()),
            Err(DecayError::InvalidLambda { .. })
        ));
    }
}

#[test]
fn a_policy_in_toml_keeps_the_order_of_its_overrides() {
    let text = "preset = \"olmo\"\n\n[overrides]\n\"z.*\" = 0.5\n\"a.*\" = 0.25\n\"m.*\" = 1.0\n";
    let policy: DecayPolicy = toml::from_str(text).unwrap();
    assert_eq!(policy.preset, Preset::Olmo);
    let expected =
        [("z.*", 0.5), ("a.*", 0.25), ("m.*", 1.0)].map(|(glob, lambda)| (glob.to_owned(), lambda));
    assert_eq!(policy.overrides, expected);
    assert_eq!(toml::to_string(&policy).unwrap(), text);
    assert_eq!(toml::from_str::<DecayPolicy>("").unwrap(), DecayPolicy::default());
    assert!(toml::from_str::<DecayPolicy>("presets = \"hf\"").is_err());
    assert!(toml::from_str::<DecayPolicy>("preset = \"tim\"").is_err());
}

#[test]
fn an_override_that_lifts_an_exemption_is_told() {
    let lifted = |overrides: &[(&str, f64)]| -> Vec<String> {
        let overrides = overrides.iter().map(|(glob, lambda)| ((*glob).to_owned(), *lambda));
        let policy = DecayPolicy { preset: Preset::Nanogpt, overrides: overrides.collect() };
        let choices = policy.choose(0.1, &gpt()).unwrap();
        policy.lifted(&gpt(), &choices).into_iter().map(str::to_owned).collect()
    };
    assert_eq!(lifted(&[]), [""; 0]);
    // To leave a tensor out, or to decay one that decays already, lifts nothing.
    assert_eq!(lifted(&[("block.*.weight", 0.0), ("embedding.token.weight", 0.2)]), [""; 0]);
    let by_block = lifted(&[("block.*", 0.05)]);
    assert!(!by_block.is_empty());
    assert!(
        gpt()
            .iter()
            .filter(|tensor| by_block.iter().any(|path| path == tensor.path))
            .all(|tensor| tensor.shape.len() == 1)
    );
}
