//! Every file that the tests keep is read with its values.

use std::path::{Path, PathBuf};

use wd_audit::checkpoint::{
    Checkpoint, Format, NamedTensor, OptimizerState, ParameterId, ReadOptions, Value, Writer, find,
};
use wd_audit::tensor::Dtype;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)
}

fn read(name: &str) -> Checkpoint {
    let mut found = find(&file(name), &ReadOptions::default()).unwrap();
    assert_eq!(found.checkpoints.len(), 1, "{name}");
    found.checkpoints.remove(0)
}

fn values(tensors: &[NamedTensor]) -> Vec<(String, Vec<usize>, Vec<f64>)> {
    let value = |named: &NamedTensor| {
        let shape = named.tensor.shape().to_vec();
        (named.name.clone(), shape, named.tensor.to_f64().unwrap())
    };
    tensors.iter().map(value).collect()
}

/// λ, rate and names of each group.
fn groups(optimizer: &OptimizerState) -> Vec<(f64, f64, Vec<String>)> {
    let group = |group: &wd_audit::checkpoint::Group| {
        (group.lambda.unwrap(), group.rate.unwrap(), group.names.clone().unwrap_or_default())
    };
    optimizer.groups.iter().map(group).collect()
}

/// The rate after three steps of a cosine over 100 from 1e-3. The schedule of PyTorch goes from
/// step to step, so that its last digits differ.
fn is_cosine_rate(rate: f64) -> bool {
    let wanted = 5e-4 * (1.0 + (3.0 * std::f64::consts::PI / 100.0).cos());
    (rate - wanted).abs() < 1e-15
}

#[test]
fn adamw_with_names_is_read() {
    let adamw = read("torch-2.15/adamw.pt");
    assert_eq!((adamw.format, adamw.writer), (Format::TorchZip, Writer::Unknown));
    let names: Vec<&str> = adamw.model.iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(names, ["0.weight", "1.weight", "1.bias"]);
    assert_eq!(adamw.tensor("1.weight").unwrap().shape(), [16, 8]);
    assert!(adamw.is_in_module_order);
    let [optimizer] = adamw.optimizers.as_slice() else { panic!("one optimizer") };
    let [decayed, plain] = optimizer.groups.as_slice() else { panic!("two groups") };
    assert_eq!((decayed.lambda, plain.lambda), (Some(0.1), Some(0.0)));
    assert_eq!(decayed.lambda_key.as_deref(), Some("weight_decay"));
    assert_eq!(decayed.names.as_deref().unwrap(), ["0.weight", "1.weight"]);
    assert_eq!(plain.names.as_deref().unwrap(), ["1.bias"]);
    assert_eq!(decayed.parameters, [ParameterId::Index(0), ParameterId::Index(1)]);
    assert!(is_cosine_rate(decayed.rate.unwrap()));
    assert_eq!(decayed.initial_rate, Some(1e-3));
    assert_eq!((decayed.betas, decayed.epsilon), (Some((0.9, 0.999)), Some(1e-8)));
    assert_eq!((decayed.decoupled, decayed.amsgrad), (Some(true), Some(false)));
    assert_eq!(optimizer.states.len(), 3);
    let state = optimizer.state(&ParameterId::Index(2)).unwrap();
    assert_eq!(state.step, Some(3.0));
    assert_eq!(state.tensor("exp_avg").unwrap().shape(), [16]);
    let [schedule] = adamw.schedulers.as_slice() else { panic!("one schedule") };
    assert!(schedule.settings.contains(&("T_max".to_owned(), Value::Integer(100))));
    assert_eq!(adamw.step(), Some(3.0));
    assert_eq!(adamw.clocks[0].name, "scheduler.last_epoch");
}

#[test]
fn four_forms_of_one_training_hold_the_same_bits() {
    let zip = read("torch-2.15/adamw.pt");
    let legacy = read("torch-2.15/legacy.pt");
    assert_eq!((legacy.format, legacy.writer), (Format::TorchLegacy, Writer::OptimizerStateDict));
    for (one, other) in zip.optimizers[0].states.iter().zip(&legacy.optimizers[0].states) {
        assert_eq!((&one.id, one.step), (&other.id, other.step));
        assert_eq!(values(&one.tensors), values(&other.tensors));
    }
    assert_eq!(groups(&zip.optimizers[0]), groups(&legacy.optimizers[0]));
    for folder in ["torch-2.15/dcp_flat", "torch-2.15/dcp_nested"] {
        let distributed = read(folder);
        assert_eq!(distributed.format, Format::Distributed);
        assert_eq!(values(&zip.model), values(&distributed.model), "{folder}");
        let [optimizer] = distributed.optimizers.as_slice() else { panic!("one optimizer") };
        assert_eq!(optimizer.states.len(), 3);
        let names = ["0.weight", "1.weight", "1.bias"];
        for (state, name) in zip.optimizers[0].states.iter().zip(names) {
            let other = optimizer.state(&ParameterId::Name(name.to_owned())).unwrap();
            assert_eq!(state.step, other.step);
            assert_eq!(values(&state.tensors), values(&other.tensors), "{folder} {name}");
        }
        assert_eq!(groups(&zip.optimizers[0]), groups(optimizer), "{folder}");
        let betas = optimizer.groups.iter().map(|group| group.betas);
        assert!(betas.eq([Some((0.9, 0.999)), Some((0.9, 0.999))]));
        assert_eq!(optimizer.groups[0].decoupled, Some(true));
    }
}

#[test]
fn odd_element_types_and_strides_are_read() {
    let odd = read("torch-2.15/odd.pt");
    assert_eq!(odd.writer, Writer::StateDict);
    let weight = odd.tensor("w").unwrap();
    assert_eq!((weight.dtype(), weight.shape()), (Dtype::Float8E4m3, &[4, 4][..]));
    assert!(weight.to_f64().unwrap().iter().all(|value| value.is_finite() && value.abs() < 5.0));
    let zeros = odd.tensor("u16").unwrap();
    assert_eq!((zeros.dtype(), zeros.to_f64().unwrap()), (Dtype::Uint16, vec![0.0; 3]));
    let transpose = odd.tensor("t").unwrap();
    assert_eq!((transpose.shape(), transpose.strides()), (&[4, 3][..], &[1, 4][..]));
    let expanded = odd.tensor("e").unwrap();
    assert_eq!((expanded.shape(), expanded.strides()), (&[3, 4][..], &[0, 1][..]));
    let rows = expanded.to_f64().unwrap();
    assert_eq!(rows[..4], rows[8..]);
}

#[test]
fn a_namespace_is_read_as_a_configuration() {
    let namespace = read("torch-2.15/ns.pt");
    let [args] = namespace.embedded.as_slice() else { panic!("one configuration") };
    assert_eq!(args.key, "args");
    assert_eq!(args.value.get("weight_decay"), Some(&Value::Number(0.1)));
    assert_eq!(args.value.get("lr"), Some(&Value::Number(1e-3)));
}

#[test]
fn training_arguments_are_read_whole_without_their_class() {
    let arguments = read("torch-2.15/training_args.bin");
    assert_eq!(arguments.writer, Writer::HuggingFaceTrainer);
    let [arguments] = arguments.embedded.as_slice() else { panic!("one configuration") };
    assert_eq!(arguments.key, "TrainingArguments");
    let Value::Table(fields) = &arguments.value else { panic!("a table") };
    assert_eq!(fields.len(), 114);
    let get = |key: &str| arguments.value.get(key).unwrap().clone();
    assert_eq!(get("weight_decay"), Value::Number(0.1));
    assert_eq!(get("learning_rate"), Value::Number(5e-5));
    assert_eq!(get("optim"), Value::Text("adamw_torch_fused".to_owned()));
    assert_eq!(get("max_steps"), Value::Integer(-1));
    assert_eq!(get("lr_scheduler_kwargs"), Value::None);
}

#[test]
fn consecutive_checkpoints_obey_adamw() {
    let (before, after) = (
        read("../../../../corpora/checkpoints/lm-1500.pt"),
        read("../../../../corpora/checkpoints/lm-1501.pt"),
    );
    let rates: Vec<f64> = serde_json::from_slice(
        &std::fs::read(file("../../../../corpora/checkpoints/lr.json")).unwrap(),
    )
    .unwrap();
    assert_eq!((before.step(), after.step()), (Some(1500.0), Some(1501.0)));
    let group = &after.optimizers[0].groups[0];
    assert_eq!((group.lambda, group.rate), (Some(0.1), Some(rates[1500])));
    let (rate, step) = (rates[1500], 1501);
    let corrections = (1.0 - 0.9_f64.powi(step), 1.0 - 0.95_f64.powi(step));
    for (at, weights) in before.model.iter().enumerate() {
        let state = after.optimizers[0].state(&ParameterId::Index(at as i64)).unwrap();
        let numbers = |name: &str| state.tensor(name).unwrap().to_f64().unwrap();
        let (first, second) = (numbers("exp_avg"), numbers("exp_avg_sq"));
        let old = weights.tensor.to_f64().unwrap();
        let new = after.tensor(&weights.name).unwrap().to_f64().unwrap();
        for ((old, new), (m, v)) in old.iter().zip(&new).zip(first.iter().zip(&second)) {
            let update = m / corrections.0 / ((v / corrections.1).sqrt() + 1e-8);
            let wanted = old * (1.0 - rate * 0.1) - rate * update;
            assert!((new - wanted).abs() < 2e-7, "{}: {new} is not {wanted}", weights.name);
        }
    }
    let later = read("../../../../corpora/checkpoints/lm-1600.safetensors");
    assert_eq!((later.format, later.model.len()), (Format::Safetensors, 6));
    assert!(!later.is_in_module_order);
    // Rows that no text uses shrink by A = Π(1 − ηλ) and by nothing else.
    let shrink: f64 = rates[1501..1600].iter().map(|rate| 1.0 - 0.1 * rate).product();
    let row = |checkpoint: &Checkpoint| {
        let all = checkpoint.tensor("emb.weight").unwrap().to_f64().unwrap();
        all[1000 * 32..1001 * 32].to_vec()
    };
    for (old, new) in row(&after).iter().zip(row(&later)) {
        assert!((new / old / shrink - 1.0).abs() < 3e-6);
    }
}

#[test]
fn legacy_streams_of_others_are_read() {
    let facenet = read("facenet-pnet.pt");
    assert_eq!((facenet.format, facenet.model.len()), (Format::TorchLegacy, 13));
    let first = facenet.tensor("conv1.weight").unwrap();
    assert_eq!((first.shape(), first.strides()), (&[10, 3, 3, 3][..], &[1, 10, 30, 90][..]));
    let lpips = read("lpips-alex.pth");
    assert_eq!((lpips.format, lpips.writer), (Format::TorchLegacy, Writer::StateDict));
    assert_eq!(lpips.model.len(), 5);
    assert!(lpips.model.iter().all(|tensor| tensor.name.ends_with("model.1.weight")));
}

#[test]
fn quantised_weights_are_said_to_be_none() {
    let quantised = read("fracast-int8.safetensors");
    assert!(quantised.model.iter().any(|tensor| tensor.tensor.dtype() == Dtype::Int8));
    assert!(quantised.remarks.iter().any(|remark| remark.contains("quantised")));
}

#[test]
fn a_folder_of_several_gives_them_in_the_order_of_their_steps() {
    let found = find(&file("../../../../corpora/checkpoints"), &ReadOptions::default()).unwrap();
    let steps: Vec<Option<f64>> = found.checkpoints.iter().map(Checkpoint::step).collect();
    assert_eq!(steps, [Some(1500.0), Some(1501.0), None]);
}

#[test]
fn checksums_are_verified_where_asked() {
    let options = ReadOptions { verify: true, ..ReadOptions::default() };
    assert!(find(&file("torch-2.15/adamw.pt"), &options).is_ok());
    let mut bytes = std::fs::read(file("torch-2.15/adamw.pt")).unwrap();
    // One byte in the middle of the first storage, which holds 512.
    let folder = tempfile::tempdir().unwrap();
    let at = bytes.windows(8).position(|name| name == b"w/data/0").unwrap();
    bytes[at + 256] ^= 1;
    let path = folder.path().join("adamw.pt");
    std::fs::write(&path, bytes).unwrap();
    assert!(find(&path, &ReadOptions::default()).is_ok());
    let error = find(&path, &options).unwrap_err().to_string();
    assert!(error.contains("checksum"), "{error}");
}
