//! Shards of DeepSpeed and Megatron, which `make_shards.py` writes after their sources.

use std::path::{Path, PathBuf};

use wd_audit::checkpoint::{
    Checkpoint, Format, ParameterId, ParameterState, ReadOptions, Value, Writer, find,
};

fn read(name: &str) -> Checkpoint {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/shards").join(name);
    let mut found = find(&path, &ReadOptions::default()).unwrap();
    assert_eq!(found.checkpoints.len(), 1, "{name}");
    found.checkpoints.remove(0)
}

/// Names, shapes, and the place of the first element in the flat vector of the group.
const TENSORS: [(&str, &[usize], usize, f64); 4] = [
    ("embedding.weight", &[5, 3], 0, 0.0),
    ("head.weight", &[4, 3], 0, 15.0),
    ("norm.weight", &[3], 1, 0.0),
    ("head.bias", &[4], 1, 3.0),
];

/// What the script puts into a tensor.
fn expected(kind: f64, shape: &[usize], group: usize, start: f64) -> Vec<f64> {
    let elements: usize = shape.iter().product();
    (0..elements).map(|at| kind + 100.0 * group as f64 + start + at as f64).collect()
}

fn check(checkpoint: &Checkpoint, step: Option<f64>) {
    for (name, shape, group, start) in TENSORS {
        let weights = checkpoint.tensor(name).unwrap();
        assert_eq!(weights.shape(), shape);
        assert_eq!(weights.to_f64().unwrap(), expected(1.0, shape, group, start), "{name}");
        let id = ParameterId::Name(name.to_owned());
        let state: &ParameterState = checkpoint.optimizers[0].state(&id).unwrap();
        assert_eq!(state.step, step);
        for (kind, first) in [("exp_avg", 1000.0), ("exp_avg_sq", 2000.0)] {
            let moment = state.tensor(kind).unwrap();
            assert_eq!(moment.shape(), shape);
            assert_eq!(moment.to_f64().unwrap(), expected(first, shape, group, start), "{name}");
        }
    }
    let groups = &checkpoint.optimizers[0].groups;
    let lambdas: Vec<Option<f64>> = groups.iter().map(|group| group.lambda).collect();
    assert_eq!(lambdas, [Some(0.1), Some(0.0)]);
    assert_eq!(groups[1].names.as_deref().unwrap(), ["norm.weight", "head.bias"]);
    assert_eq!((checkpoint.writer, checkpoint.format), (Writer::DeepSpeed, Format::DeepSpeed));
    assert_eq!(checkpoint.writer_version.as_deref(), Some("0.17.0"));
    assert_eq!(checkpoint.clocks[0].steps, 7.0);
    let config = checkpoint.embedded.iter().find(|embedded| embedded.key == "ds_config").unwrap();
    let lambda = config.value.at("optimizer.params.weight_decay");
    assert_eq!(lambda, Some(&Value::Number(0.1)));
}

#[test]
fn zero_1_and_2_are_put_together_over_ranks() {
    check(&read("zero-1"), Some(7.0));
    check(&read("zero-2"), Some(7.0));
    // The folder that `latest` names, and the one that it is in.
    check(&read("zero-2/global_step7"), Some(7.0));
}

#[test]
fn zero_3_is_put_together_tensor_by_tensor() {
    check(&read("zero-3"), Some(7.0));
}

#[test]
fn the_universal_checkpoint_is_read_by_names() {
    check(&read("universal"), None);
}

#[test]
fn classic_megatron_is_read_with_its_factor_of_lambda() {
    let megatron = read("megatron");
    assert_eq!((megatron.writer, megatron.format), (Writer::Megatron, Format::Megatron));
    let lambdas: Vec<Option<f64>> =
        megatron.optimizers[0].groups.iter().map(|group| group.lambda).collect();
    assert_eq!(lambdas, [Some(0.1), Some(0.0)]);
    assert_eq!(megatron.model.len(), 4);
    assert_eq!(megatron.optimizers[0].states.len(), 4);
    let names: Vec<&str> = megatron.clocks.iter().map(|clock| clock.name.as_str()).collect();
    assert!(names.contains(&"iteration"));
    assert!(megatron.embedded.iter().any(|embedded| {
        embedded.key == "args" && embedded.value.get("adam_beta2") == Some(&Value::Number(0.95))
    }));
    assert!(megatron.schedulers[0].settings.iter().any(|(key, _)| key == "end_wd"));
}

#[test]
fn distributed_megatron_stacks_its_layers() {
    let megatron = read("torch-dist");
    assert_eq!((megatron.writer, megatron.format), (Writer::Megatron, Format::Megatron));
    let layers = "decoder.layers.mlp.linear_fc1.weight";
    let stacked = megatron.tensor(layers).unwrap();
    assert_eq!(stacked.shape(), [2, 4, 3]);
    let counted = |first: f64| (0..24).map(|at| first + f64::from(at)).collect::<Vec<_>>();
    assert_eq!(stacked.to_f64().unwrap(), counted(1.0));
    let state = megatron.optimizers[0].state(&ParameterId::Name(layers.to_owned())).unwrap();
    assert_eq!(state.tensor("exp_avg_sq").unwrap().to_f64().unwrap(), counted(2000.0));
    let lambdas: Vec<Option<f64>> =
        megatron.optimizers[0].groups.iter().map(|group| group.lambda).collect();
    assert_eq!(lambdas, [Some(0.1), Some(0.0)]);
    assert_eq!(megatron.clocks[0].steps, 7.0);
}
