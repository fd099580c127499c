//! Each trainer's configuration: its values, its defaults, its scaling.

use std::path::Path;

use wd_audit::checkpoint::Value;
use wd_audit::dialect::{Declaration, names, read, read_value};
use wd_decay::{Declared, OptimizerKind, Schedule, ScheduleKind};

fn file(name: &str) -> Declaration {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/configs").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    read(&path, &text).unwrap()
}

fn text(name: &str, text: &str) -> Declaration {
    read(Path::new(name), text).unwrap()
}

fn schedule(kind: ScheduleKind, warmup: u64, steps: u64, floor: f64) -> Option<Schedule> {
    Some(Schedule::new(kind, warmup, steps, floor, 0).unwrap())
}

fn near(found: Option<Schedule>, expected: Option<Schedule>) -> bool {
    found.zip(expected).is_some_and(|(found, expected)| {
        (found.floor - expected.floor).abs() < 1e-12
            && Schedule { floor: 0.0, ..found } == Schedule { floor: 0.0, ..expected }
    })
}

fn stated(number: f64) -> Option<Declared> {
    Some(Declared::stated(number))
}

fn default(number: f64) -> Option<Declared> {
    Some(Declared::by_default(number))
}

#[test]
fn nanogpt() {
    let found = file("nanogpt.py");
    assert_eq!(found.dialect, "nanoGPT");
    assert_eq!((found.lambda, found.applied_lambda), (stated(0.2), Some(0.2)));
    assert_eq!(found.line, Some(17));
    assert_eq!(found.rate, stated(1e-3));
    assert_eq!(found.betas, Some((0.9, 0.99)));
    assert_eq!((found.batch, found.steps), (Some(128.0), Some(5000)));
    assert!(near(found.schedule, schedule(ScheduleKind::Cosine, 100, 5000, 0.1)));
    assert_eq!(found.decoupled, Some(true));
    assert_eq!(found.ignored, ["D04", "S01", "T01"]);

    let defaults = text("config.py", "init_from = 'resume'\n");
    assert_eq!((defaults.lambda, defaults.rate), (default(0.1), default(6e-4)));
    assert_eq!((defaults.lambda_key, defaults.line), (None, None));
    assert_eq!((defaults.batch, defaults.steps), (Some(480.0), Some(600_000)));
    assert!(near(defaults.schedule, schedule(ScheduleKind::Cosine, 2000, 600_000, 0.1)));
    assert_eq!(defaults.betas, Some((0.9, 0.95)));
}

#[test]
fn hugging_face() {
    let found = file("hugging_face.json");
    assert_eq!(found.dialect, "Hugging Face");
    assert_eq!((found.lambda, found.line), (stated(0.01), Some(7)));
    assert_eq!(found.betas, Some((0.9, 0.98)));
    assert_eq!((found.batch, found.steps), (Some(128.0), Some(1000)));
    assert!(near(found.schedule, schedule(ScheduleKind::Cosine, 100, 1000, 0.0)));
    assert_eq!((found.optimizer, found.decoupled), (Some(OptimizerKind::Adamw), Some(true)));

    let defaults = text("args.json", "{\"lr_scheduler_type\": \"linear\", \"max_steps\": 10}");
    assert_eq!((defaults.lambda, defaults.rate), (default(0.0), default(5e-5)));
    assert_eq!(defaults.optimizer_name.as_deref(), Some("adamw_torch_fused"));
    assert_eq!((defaults.betas, defaults.batch), (Some((0.9, 0.999)), None));
    assert!(near(defaults.schedule, schedule(ScheduleKind::Linear, 0, 10, 0.0)));
}

#[test]
fn olmo_core() {
    let found = file("olmo_core.json");
    assert_eq!(found.dialect, "OLMo-core");
    assert_eq!((found.lambda, found.line), (stated(0.1), Some(10)));
    assert_eq!(found.groups, [("embeddings.weight".to_owned(), 0.0)]);
    assert_eq!((found.batch, found.steps), (Some(1024.0), Some(100_000)));
    assert!(near(found.schedule, schedule(ScheduleKind::Cosine, 2000, 100_000, 0.1)));
    assert_eq!(found.optimizer, Some(OptimizerKind::Adamw));
    assert_eq!(found.betas, Some((0.9, 0.95)));

    let defaults = text("config.json", "{\"train_module\": {\"optim\": {\"fused\": true}}}");
    assert_eq!((defaults.lambda, defaults.rate), (default(0.01), default(1e-3)));
    assert_eq!(defaults.betas, Some((0.9, 0.999)));
}

#[test]
fn olmo() {
    let found = file("olmo.yaml");
    assert_eq!(found.dialect, "OLMo");
    assert_eq!((found.lambda, found.line), (stated(0.1), Some(7)));
    let groups = [("norm", 0.1), ("bias", 0.1), ("embedding", 0.0)];
    assert_eq!(found.groups, groups.map(|(holds, lambda)| (holds.to_owned(), lambda)));
    assert_eq!((found.batch, found.steps), (Some(2048.0), Some(2000)));
    assert!(near(found.schedule, schedule(ScheduleKind::Cosine, 500, 2000, 0.1)));

    let defaults =
        text("a.yaml", "optimizer:\n  decay_embeddings: null\n  decay_norm_and_bias: null\n");
    assert_eq!((defaults.lambda, defaults.rate), (default(0.01), default(1e-4)));
    assert_eq!(defaults.optimizer, Some(OptimizerKind::Lion));
    assert!(defaults.groups.is_empty());
}

#[test]
fn megatron() {
    let found = file("megatron.sh");
    assert_eq!(found.dialect, "Megatron-LM");
    assert_eq!((found.lambda, found.final_lambda), (stated(0.04), Some(0.4)));
    assert_eq!(found.lambda_key.as_deref(), Some("start_weight_decay"));
    assert_eq!(found.line, Some(8));
    assert_eq!(found.groups, [("norms of queries and keys".to_owned(), 0.04)]);
    assert_eq!((found.batch, found.steps), (Some(256.0), Some(10_000)));
    assert!(near(found.schedule, schedule(ScheduleKind::Cosine, 100, 10_000, 0.1)));
    assert_eq!(found.decoupled, Some(true));

    let defaults = text("train.sh", "--train-iters 100 --lr 1e-3");
    assert_eq!((defaults.lambda, defaults.final_lambda), (default(0.01), None));
    assert_eq!((defaults.betas, defaults.rate), (Some((0.9, 0.999)), stated(1e-3)));
    assert!(near(defaults.schedule, schedule(ScheduleKind::Linear, 0, 100, 0.0)));
}

#[test]
fn torchtitan() {
    let found = file("torchtitan.toml");
    assert_eq!(found.dialect, "torchtitan");
    assert_eq!((found.lambda, found.line), (stated(0.05), Some(7)));
    assert_eq!((found.rate, found.betas), (stated(3e-4), Some((0.9, 0.95))));
    let wsd = Schedule::new(ScheduleKind::WarmupStableDecay, 200, 1000, 0.1, 500).unwrap();
    assert_eq!(found.schedule, Some(wsd));
    assert_eq!(found.batch, Some(64.0));

    let defaults = text("a.toml", "[job]\ndump_folder = \"o\"\n[training]\nsteps = 1000\n");
    assert_eq!((defaults.lambda, defaults.rate), (default(0.1), default(8e-4)));
    assert!(near(defaults.schedule, schedule(ScheduleKind::Linear, 200, 1000, 0.0)));
}

#[test]
fn litgpt() {
    let found = file("litgpt.yaml");
    assert_eq!(found.dialect, "litgpt");
    assert_eq!((found.lambda, found.line), (stated(0.1), Some(14)));
    assert_eq!((found.batch, found.steps), (Some(512.0), Some(2048)));
    assert_eq!(found.is_pure_bf16, Some(true));
    assert!(near(found.schedule, schedule(ScheduleKind::Cosine, 2000, 2048, 0.1)));

    let defaults =
        text("h.yaml", "optimizer: AdamW\ntrain:\n  max_steps: 500\n  log_interval: 1\n");
    assert_eq!((defaults.lambda, defaults.rate), (default(0.01), default(1e-3)));
    assert_eq!(defaults.betas, Some((0.9, 0.999)));
    assert!(near(defaults.schedule, schedule(ScheduleKind::Cosine, 100, 500, 0.06)));
}

#[test]
fn timm() {
    let found = file("timm.yaml");
    assert_eq!(found.dialect, "timm");
    assert_eq!((found.lambda, found.line), (stated(0.05), Some(18)));
    assert_eq!(found.batch, Some(4096.0));
    // lr_base 0.001 times the root of 4096/256.
    assert_eq!(found.rate, stated(0.004));
    assert_eq!((found.optimizer, found.momentum), (Some(OptimizerKind::Adamw), None));

    let defaults = text("args.yaml", "sched: cosine\nsmoothing: 0.1\n");
    assert_eq!((defaults.lambda, defaults.rate), (default(2e-5), default(0.05)));
    assert_eq!((defaults.decoupled, defaults.momentum), (Some(false), Some(0.9)));
}

#[test]
fn torchtune() {
    let found = file("torchtune.yaml");
    assert_eq!(found.dialect, "torchtune");
    assert_eq!((found.lambda, found.rate), (default(0.01), stated(2e-5)));
    assert_eq!((found.optimizer, found.is_pure_bf16), (Some(OptimizerKind::Adamw), Some(true)));
    assert!(near(found.schedule, schedule(ScheduleKind::Cosine, 10, 300, 0.0)));

    let sgd = text("a.yaml", "optimizer:\n  _component_: torch.optim.SGD\n  weight_decay: 0.1\n");
    assert_eq!((sgd.lambda, sgd.decoupled), (stated(0.1), Some(false)));
}

#[test]
fn axolotl() {
    let found = file("axolotl.yaml");
    assert_eq!(found.dialect, "axolotl");
    assert_eq!((found.lambda, found.rate), (stated(0.02), stated(2e-4)));
    assert!(near(found.schedule, schedule(ScheduleKind::Cosine, 40, 400, 0.0)));
    assert_eq!(found.optimizer, Some(OptimizerKind::Adamw));

    let defaults = text("a.yml", "base_model: x\nmicro_batch_size: 2\n");
    assert_eq!((defaults.lambda, defaults.rate), (default(0.0), None));
    assert_eq!(defaults.optimizer_name.as_deref(), Some("adamw_torch_fused"));
}

#[test]
fn llama_factory() {
    let found = file("llama_factory.yaml");
    assert_eq!(found.dialect, "LLaMA-Factory");
    assert_eq!((found.lambda, found.optimizer), (stated(0.1), Some(OptimizerKind::Muon)));
    assert_eq!(found.decoupled, Some(true));

    let defaults = text("a.yaml", "finetuning_type: lora\nstage: sft\n");
    assert_eq!((defaults.lambda, defaults.rate), (default(0.0), default(5e-5)));
    assert_eq!(defaults.optimizer, Some(OptimizerKind::Adamw));
}

#[test]
fn a_slip_is_named_with_the_key_that_is_read() {
    let slips = |file: &str, written: &str| -> Vec<(String, String)> {
        let misspelt = text(file, written).misspelt.into_iter();
        misspelt.map(|slip| (slip.key, slip.meant)).collect()
    };
    let of = |key: &str, meant: &str| vec![(key.to_owned(), meant.to_owned())];
    let head = "output_dir: out\nper_device_train_batch_size: 8\n";
    assert_eq!(
        slips("a.yaml", &format!("{head}weight_deacy: 0.1\n")),
        of("weight_deacy", "weight_decay")
    );
    assert_eq!(
        slips("a.yaml", &format!("{head}weight_decay: 0.1\nlearning_rte: 1e-3\n")),
        of("learning_rte", "learning_rate")
    );
    // Keys of other things that merely look alike.
    let others = "eval_steps: 10\nsave_steps: 10\nadam_beta1: 0.9\nseed: 1\n";
    assert_eq!(slips("a.yaml", &format!("{head}weight_decay: 0.1\n{others}")), []);
    let none = read(Path::new("c.yaml"), "weight_deacy: 0.1\nhidden: 4\n").unwrap_err();
    assert!(none.to_string().contains("did you mean `weight_decay`?"), "{none}");
}

#[test]
fn lightning() {
    let found = file("hparams.yaml");
    assert_eq!(found.dialect, "Lightning");
    assert_eq!((found.lambda, found.rate), (stated(5e-4), stated(1e-3)));
    assert_eq!(found.lambda_key.as_deref(), Some("optim_conf.wd"));
    assert_eq!(found.line, Some(5));
    assert_eq!((found.optimizer, found.decoupled), (Some(OptimizerKind::Sgd), Some(false)));
    // The decay of an average is none of weights.
    assert_eq!(found.unread, ["l2_alpha"]);

    let none = text("hparams.yaml", "lr: 0.1\nhidden: 64\n");
    assert_eq!((none.dialect, none.lambda), ("Lightning", None));
}

#[test]
fn mmengine() {
    let found = file("mmengine.py");
    assert_eq!(found.dialect, "mmengine");
    assert_eq!((found.lambda, found.line), (stated(0.05), Some(4)));
    let groups = [("norm", 0.0), ("bias", 0.025), (".absolute_pos_embed", 0.0), ("backbone", 0.1)];
    assert_eq!(found.groups, groups.map(|(holds, lambda)| (holds.to_owned(), lambda)));
    assert_eq!((found.steps, found.rate), (Some(90_000), stated(1e-4)));
    assert_eq!(found.betas, Some((0.9, 0.999)));

    let defaults = text("a.py", "optim_wrapper = dict(optimizer=dict(type='AdamW'))\n");
    assert_eq!((defaults.lambda, defaults.rate), (default(0.01), default(1e-3)));
    // In a checkpoint it is the text of the file.
    let code =
        Value::Text("optim_wrapper = dict(optimizer=dict(type='SGD', weight_decay=5e-4))".into());
    let held = read_value(Path::new("epoch_1.pth"), "cfg", &code).unwrap();
    assert_eq!((held.dialect, held.lambda), ("mmengine", stated(5e-4)));
}

#[test]
fn detectron2() {
    let found = file("detectron2.yaml");
    assert_eq!(found.dialect, "detectron2");
    assert_eq!((found.lambda, found.line), (stated(2e-4), Some(9)));
    assert_eq!(found.groups, [("norm".to_owned(), 1e-4)]);
    assert_eq!((found.batch, found.steps), (Some(32.0), Some(90_000)));
    assert_eq!((found.momentum, found.decoupled), (Some(0.9), Some(false)));

    let defaults = text("config.yaml", "SOLVER:\n  MAX_ITER: 10\n");
    assert_eq!((defaults.lambda, defaults.rate), (default(1e-4), default(0.001)));
    assert_eq!(defaults.groups, [("norm".to_owned(), 0.0)]);
}

#[test]
fn ultralytics_scales_by_the_batch() {
    let found = file("ultralytics.yaml");
    assert_eq!(found.dialect, "ultralytics");
    assert_eq!((found.lambda, found.line), (stated(5e-4), Some(10)));
    // round(64/96) = 1, and 96/64 = 1.5.
    assert_eq!(found.applied_lambda, Some(7.5e-4));
    let scaling = "times batch 96 × accumulation 1 over the nominal batch 64";
    assert_eq!(found.scaling.as_deref(), Some(scaling));
    assert_eq!((found.momentum, found.decoupled), (Some(0.9), Some(false)));

    let defaults = text("args.yaml", "lr0: 0.02\nlrf: 0.01\n");
    assert_eq!((defaults.lambda, defaults.applied_lambda), (default(5e-4), Some(5e-4)));
    // `auto` overrules lr0.
    assert_eq!((defaults.rate, defaults.optimizer, defaults.scaling), (None, None, None));
    let chosen = text("args.yaml", "lr0: 0.02\nbatch: -1\n");
    assert!(chosen.scaling.is_some());
}

#[test]
fn deepspeed() {
    let found = file("deepspeed.json");
    assert_eq!(found.dialect, "DeepSpeed");
    assert_eq!((found.lambda, found.line), (stated(0.03), Some(8)));
    assert_eq!((found.optimizer, found.decoupled), (Some(OptimizerKind::Adam), Some(false)));
    assert_eq!((found.rate, found.batch), (stated(0.002), Some(512.0)));
    assert!(near(found.schedule, schedule(ScheduleKind::Linear, 100, 1000, 0.0)));

    let defaults =
        text("ds.json", "{\"optimizer\": {\"type\": \"AdamW\", \"params\": {\"lr\": 1e-4}}}");
    assert_eq!((defaults.lambda, defaults.decoupled), (default(0.0), Some(true)));
    let auto = "{\"optimizer\": {\"type\": \"AdamW\", \"params\": {\"weight_decay\": \"auto\"}}}";
    let auto = text("ds.json", auto);
    assert_eq!((auto.lambda, auto.scaling.is_some()), (None, true));
}

#[test]
fn composer() {
    let found = file("composer.yaml");
    assert_eq!(found.dialect, "Composer");
    assert_eq!((found.lambda, found.line), (stated(6e-5), Some(10)));
    assert!(found.is_independent_of_rate);
    assert_eq!((found.batch, found.steps), (Some(256.0), Some(4800)));
    assert!(near(found.schedule, schedule(ScheduleKind::Cosine, 100, 4800, 0.1)));
    assert_eq!(found.is_pure_bf16, Some(true));

    let defaults = text("a.yaml", "optimizer:\n  name: decoupled_adamw\nmax_duration: 1ep\n");
    assert_eq!((defaults.lambda, defaults.betas), (default(1e-5), Some((0.9, 0.95))));
    let sgd = text("a.yaml", "optimizer:\n  name: decoupled_sgdw\n");
    assert_eq!(sgd.lambda, default(0.0));
}

#[test]
fn open_clip() {
    let found = file("params.txt");
    assert_eq!(found.dialect, "open_clip");
    assert_eq!((found.lambda, found.line), (stated(0.1), Some(15)));
    assert_eq!((found.batch, found.rate), (Some(10_240.0), stated(0.001)));
    assert_eq!(found.betas, Some((0.9, 0.98)));

    let defaults = text("params.txt", "accum_freq: 1\nmodel: ViT-B-32\n");
    assert_eq!((defaults.lambda, defaults.rate), (default(0.2), default(5e-4)));
}

#[test]
fn fairseq() {
    let found = file("fairseq.yaml");
    assert_eq!(found.dialect, "fairseq");
    assert_eq!((found.lambda, found.line), (stated(0.01), Some(10)));
    assert_eq!(found.betas, Some((0.9, 0.98)));
    assert_eq!((found.decoupled, found.batch), (Some(true), Some(512.0)));
    assert!(near(found.schedule, schedule(ScheduleKind::InverseSquareRoot, 4000, 50_000, 0.0)));

    let defaults = text("a.yaml", "optimizer: adam\nmax_update: 10\n");
    assert_eq!((defaults.lambda, defaults.betas), (default(0.0), Some((0.9, 0.999))));
    assert_eq!(defaults.decoupled, Some(true));
}

#[test]
fn wd_train() {
    let found = file("wd.toml");
    assert_eq!(found.dialect, "wd train");
    assert_eq!((found.lambda, found.final_lambda), (stated(0.1), Some(0.05)));
    assert_eq!(found.line, Some(20));
    assert!(found.is_independent_of_rate);
    assert_eq!(found.groups, [("blocks/*/norm".to_owned(), 0.0)]);
    assert!(near(found.schedule, schedule(ScheduleKind::Cosine, 50, 1000, 0.1)));
    assert_eq!(found.ignored, ["D04"]);

    let defaults =
        text("config.toml", "[optim]\nlr = 0.1\nkind = \"sgd\"\n[decay]\nanchor = \"initial\"\n");
    assert_eq!((defaults.lambda, defaults.decoupled), (default(0.0), Some(false)));
}

#[test]
fn an_unknown_trainer_is_called_so() {
    let found = file("unknown.yaml");
    assert_eq!(found.dialect, "unknown");
    assert_eq!((found.lambda, found.line), (stated(0.07), Some(6)));
    assert_eq!((found.betas, found.rate), (Some((0.8, 0.9)), stated(1e-3)));
    assert_eq!(found.unread, ["optim.head_wd"]);
    let nothing = read(Path::new("a.yaml"), "colour: blue\n").unwrap_err().to_string();
    assert!(nothing.contains("no known trainer"), "{nothing}");
}

#[test]
fn a_models_own_configuration_has_its_initial_deviation() {
    let found = text("config.json", "{\"architectures\": [\"X\"], \"initializer_range\": 0.02}");
    assert_eq!(
        (found.dialect, found.init_std, found.lambda),
        ("Hugging Face model", Some(0.02), None)
    );
}

#[test]
fn arguments_of_checkpoints_are_read_by_their_keys() {
    let table = |pairs: &[(&str, Value)]| {
        Value::Table(pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    };
    let path = Path::new("last.pt");
    let args = table(&[("weight_decay", Value::Number(1e-4)), ("batch", Value::Integer(128))]);
    let found = read_value(path, "train_args", &args).unwrap();
    assert_eq!((found.dialect, found.applied_lambda), ("ultralytics", Some(2e-4)));
    let args = table(&[("output_dir", Value::Text("out".into()))]);
    let found = read_value(path, "transformers.training_args.TrainingArguments", &args).unwrap();
    assert_eq!((found.dialect, found.lambda), ("Hugging Face", default(0.0)));
    let args = table(&[("weight_decay", Value::Number(0.3)), ("hidden", Value::Integer(3))]);
    let found = read_value(path, "hyper_parameters", &args).unwrap();
    assert_eq!((found.dialect, found.lambda), ("Lightning", stated(0.3)));
    assert!(read_value(path, "cfg", &Value::Integer(3)).is_none());
}

#[test]
fn damaged_texts_are_refused_with_their_line() {
    for (name, text) in [("a.json", "{\n\"a\": }"), ("a.toml", "a = 1\nb = = 2\n")] {
        let message = read(Path::new(name), text).unwrap_err().to_string();
        assert!(message.contains("line 2"), "{message}");
    }
    assert!(read(Path::new("a.yaml"), "a: [1\nb: {").is_err());
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned()
        + &(1..12).map(|i| {
            let (new, old) = (char::from(b'a' + i), char::from(b'a' + i - 1));
            format!("{new}: &{new} [*{old},*{old},*{old},*{old},*{old},*{old},*{old},*{old},*{old}]\n")
        }).collect::<String>();
    assert!(read(Path::new("bomb.yaml"), &bomb).is_err());
    for deep in ["[", "{\"a\":", "- "] {
        let text = deep.repeat(200_000);
        assert!(read(Path::new("a.json"), &text).is_err());
        assert!(read(Path::new("a.yaml"), &text).is_err());
        assert!(read(Path::new("a"), &text).is_err());
        assert!(read(Path::new("a.py"), &format!("a = {text}")).is_err());
    }
}

#[test]
fn every_dialect_has_a_name_of_its_own() {
    let mut all: Vec<&str> = names().collect();
    assert_eq!(all.len(), 21);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 21);
}

#[test]
fn tokens_of_a_sequence_are_read_where_every_step_has_full_ones() {
    let sequences = [
        ("nanogpt.py", 256.0),
        ("torchtitan.toml", 8192.0),
        ("olmo.yaml", 2048.0),
        ("litgpt.yaml", 2048.0),
    ];
    for (name, tokens) in sequences {
        assert_eq!(file(name).sequence, Some(tokens), "{name}");
    }
    let core = "train_module:\n  max_sequence_length: 8192\n  optim: {lr: 1e-3}\n\
                data_loader: {global_batch_size: 4194304}\n";
    let found = text("config.yaml", core);
    assert_eq!((found.sequence, found.batch), (Some(8192.0), Some(512.0)));
    let found = text("train.sh", "--train-iters 100 --lr 1e-3 --seq-length 4096");
    assert_eq!((found.dialect, found.sequence), ("Megatron-LM", Some(4096.0)));
    let own =
        "[model]\ncontext = 64\n[optim]\nlr = 1e-3\n[decay]\nlambda = 0.1\n[run]\nsteps = 9\n";
    assert_eq!(text("config.toml", own).sequence, Some(64.0));
    // Sentences of any length, and as many as fit: their number of tokens is not known.
    assert_eq!(file("fairseq.yaml").sequence, None);
}

fn refused(name: &str, text: &str) -> String {
    read(Path::new(name), text).unwrap_err().to_string()
}

#[test]
fn a_rate_that_falls_over_other_steps_than_the_run_is_drawn_as_it_is() {
    let common = "max_iters = 5000\nlearning_rate = 6e-4\nmin_lr = 6e-5\nwarmup_iters = 2000\n";
    // nanoGPT's own default is 600,000 steps.
    for length in ["", "lr_decay_iters = 600000\n"] {
        let found = text("train.py", &format!("{common}{length}"));
        let schedule = found.schedule.unwrap();
        assert_eq!((schedule.kind, schedule.steps), (ScheduleKind::Points, 5000));
        let whole = Schedule::new(ScheduleKind::Cosine, 2000, 600_000, 0.1, 0).unwrap();
        for step in [0, 1000, 2000, 3500, 4999] {
            assert!((schedule.factor(step) - whole.factor(step)).abs() < 1e-3, "{step}");
        }
        assert!(found.remarks.iter().any(|remark| remark.contains("600,000 steps")));
        // Words give κ = λ Σ η of the same schedule: 0.24.
        let words = found.words(&[]).unwrap().join(" ");
        assert!(words.contains("schedule=points,points=0:0.0005/0.4:1/"), "{words}");
        assert!((0.1 * 6e-4 * schedule.sum() - 0.24).abs() < 0.002, "{}", schedule.sum());
    }
    let shorter = text("train.py", &format!("{common}lr_decay_iters = 4000\n"));
    let words = shorter.words(&[]).unwrap().join(" ");
    assert!(words.contains("points=0:0.0005/0.4:1/0.8:0.1:cosine/1:0.1 "), "{words}");
    // What is said behind the file replaces all of it.
    let said = shorter.words(&["schedule=constant".to_owned()]).unwrap().join(" ");
    assert!(!said.contains("points"), "{said}");

    let flags = "--train-iters 1000 --lr 1e-3 --lr-decay-iters 500 --lr-decay-style cosine";
    let schedule = text("train.sh", flags).schedule.unwrap();
    assert_eq!((schedule.kind, schedule.factor(700)), (ScheduleKind::Points, 0.0));
}

#[test]
fn schedules_that_trainers_write_are_read_or_named() {
    let trainer = "learning_rate: 5e-4\nweight_decay: 0.1\nmax_steps: 20000\n\
                   per_device_train_batch_size: 8\nwarmup_steps: 100\n";
    let of = |form: &str| text("a.yaml", &format!("{trainer}lr_scheduler_type: {form}\n"));
    let cycles = of("cosine_with_restarts\nlr_scheduler_kwargs: {num_cycles: 4}");
    let schedule = cycles.schedule.unwrap();
    assert!((schedule.sum() / 20_000.0 - 0.5).abs() < 0.01, "{}", schedule.sum());
    assert!(schedule.factor(5074) < 1e-3 && schedule.factor(5076) > 0.99);
    assert!(near(of("inverse_sqrt").schedule, {
        schedule_of(ScheduleKind::InverseSquareRoot, 100, 20_000)
    }));
    let unread = of("reduce_lr_on_plateau");
    assert_eq!(unread.schedule, None);
    let sentence = unread.unread_schedule().unwrap();
    assert!(sentence.contains("`lr_scheduler_type`: reduce_lr_on_plateau"), "{sentence}");
    assert_eq!(of("linear").unread_schedule(), None);
    let rex = "base_model: Q\nmicro_batch_size: 1\nsequence_len: 9\nlearning_rate: 2e-2\n\
               max_steps: 1000\nlr_scheduler: rex\n";
    assert!(text("a.yaml", rex).unread_schedule().unwrap().contains("rex"));

    let detectron = "SOLVER:\n  IMS_PER_BATCH: 16\n  BASE_LR: 0.02\n  MAX_ITER: 90000\n  \
                     STEPS: (60000, 80000)\n";
    let schedule = text("a.yaml", detectron).schedule.unwrap();
    let factors = [0, 1000, 59_999, 60_001, 80_001].map(|step| schedule.factor(step));
    for (factor, wanted) in factors.into_iter().zip([0.001, 1.0, 1.0, 0.1, 0.01]) {
        assert!((factor - wanted).abs() < 1e-3, "{factor} {wanted}");
    }
    let ultralytics = "lr0: 0.01\nlrf: 0.02\nepochs: 50\noptimizer: SGD\nweight_decay: 5e-4\n";
    let found = text("args.yaml", ultralytics);
    assert_eq!(found.schedule_words.as_deref(), Some("linear,warmup=6%,floor=0.02"));
    assert_eq!(found.epochs, Some(50.0));
    let mm = "optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05))\n\
              train_cfg = dict(max_epochs=12)\nparam_scheduler = [dict(type='MultiStepLR')]\n";
    let found = text("a.py", mm);
    assert_eq!(found.epochs, Some(12.0));
    assert!(found.unread_schedule().unwrap().contains("MultiStepLR"));
}

fn schedule_of(kind: ScheduleKind, warmup: u64, steps: u64) -> Option<Schedule> {
    schedule(kind, warmup, steps, 0.0)
}

#[test]
fn a_trainers_own_key_is_no_slip() {
    let titan = "[training]\nlocal_batch_size = 1\nseq_len = 8192\nsteps = 1000\n\
                 [lr_scheduler]\ndecay_type = \"linear\"\n";
    assert!(text("a.toml", titan).misspelt.is_empty());
    let slip = titan.replace("seq_len", "seq_lenn");
    assert_eq!(text("a.toml", &slip).misspelt[0].meant, "seq_len");
    let speed = "{\"optimizer\": {\"type\": \"Adam\", \"params\": {\"lr\": 1e-3}}, \"scheduler\": \
                 {\"type\": \"WarmupLR\", \"params\": {\"warmup_min_lr\": 0}}, \
                 \"zero_optimization\": {}}";
    assert!(text("ds.json", speed).misspelt.is_empty());
}

#[test]
fn a_lambda_that_is_no_number_is_no_default() {
    let trainer = "learning_rate: 5e-5\nper_device_train_batch_size: 2\n";
    let with = |lambda: &str| format!("{trainer}weight_decay: {lambda}\n");
    for (lambda, what) in [
        ("-0.1", "cannot be negative"),
        ("0,1", "`0,1`, which is no number"),
        ("[0, 0.1]", "a list of 2 values"),
    ] {
        let message = refused("a.yaml", &with(lambda));
        assert!(message.contains(what) && message.contains("line 3"), "{message}");
    }
    let rate = refused("a.yaml", &with("0.1").replace("5e-5", "-5e-5"));
    assert!(rate.contains("learning rate is -0.00005"), "{rate}");
    let unknown = refused("a.yaml", "optimizer: {name: adamw, weight_decay: [0, 0.1]}\n");
    assert!(unknown.contains("`optimizer.weight_decay` is a list of 2 values"), "{unknown}");
    // A null was typed, and leaves λ to the trainer.
    let found = text("a.yaml", &with("null"));
    assert_eq!((found.lambda, found.line), (default(0.0), Some(3)));

    // An expression was typed, and may be anything.
    let found = text("train.py", "max_iters = 10\nweight_decay = 1e-1 if True else 0\n");
    assert_eq!((found.lambda, found.applied_lambda), (None, None));
    let refusal = found.words(&[]).unwrap_err().to_string();
    assert!(refusal.contains("an expression, which is not evaluated"), "{refusal}");
    let words = found.words(&["weight_decay=0.2".to_owned()]).unwrap();
    assert!(words.contains(&"weight_decay=0.2".to_owned()), "{words:?}");
}

#[test]
fn of_equal_keys_the_last_one_counts() {
    let trainer = "learning_rate: 5e-5\nper_device_train_batch_size: 2\n";
    let found = text("a.yaml", &format!("{trainer}weight_decay: 0.1\nweight_decay: 0.01\n"));
    assert_eq!((found.lambda, found.line), (stated(0.01), Some(4)));
    assert!(found.remarks[0].contains("lines 3 and 4"), "{:?}", found.remarks);
    let json = "{\"learning_rate\": 5e-5, \"adam_beta1\": 0.9, \"weight_decay\": 0.1,\n\
                \"weight_decay\": 0.01}";
    assert_eq!(text("a.json", json).lambda, stated(0.01));
}
