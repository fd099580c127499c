//! What a user gets wrong is refused at the door: non-zero exit, the place and the fix, never a
//! panic.

mod support;

use std::{path::Path, process::Command};

use support::{prepare_corpus, succeed, wd, write_config};

/// Runs a command that must fail, and gives what it says.
fn fail(command: &mut Command) -> String {
    let output = command.output().expect("the command starts");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{command:?} succeeded:\n{message}");
    assert_ne!(output.status.code(), Some(101), "a panic:\n{message}");
    assert!(!message.contains("panicked"), "{message}");
    message
}

#[test]
fn a_wrong_configuration_is_refused_with_the_place_and_the_fix() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 20, "");
    let cases: [(&str, &[&str]); 40] = [
        (
            "decay.schedule={ kind = \"cosine\", floor = 10.0 }",
            &["between 0 and 1, not 10", "drawn through points"],
        ),
        (
            "decay.schedule={ kind = \"piecewise\" }",
            &["unknown variant `piecewise`", "kind = \"points\""],
        ),
        ("optim.kind=adamW", &["unknown variant `adamW`", "did you mean `adamw`?"]),
        ("schedule.kind=COSINE", &["did you mean `cosine`?"]),
        ("run.steps=1e3", &["expected a whole number", "write it as a whole number: 1000"]),
        ("model.layers=1.5", &["expected a whole number"]),
        ("run.steps=0", &["run.steps must be at least 1"]),
        ("decay.lamda=0.1", &["unknown field `lamda`", "did you mean `lambda`"]),
        ("decay.lambda=-0.1", &["decay.lambda = -0.1", "not negative"]),
        ("decay.lambda=nan", &["decay.lambda", "finite"]),
        ("optim.lr=0", &["optim.lr = 0", "positive"]),
        ("optim.momentum=0.9", &["adamw has no `momentum`", "sgd, muon"]),
        ("optim.beta1=1.0", &["beta1", "below 1"]),
        ("optim.kind=adamx", &["unknown variant `adamx`", "did you mean `adam"]),
        ("decay.rule=coupled-l2", &["AdamW with coupled L2 is Adam"]),
        ("decay.overrides.\"block.*.mpl.*\"=0.1", &["matches no tensor", "mlp"]),
        ("schedule.warmup=1.5", &["no share of the run"]),
        ("schedule.warmup=21", &["warm-up of 21 steps"]),
        ("schedule.floor=2.0", &["floor"]),
        ("data.validation_fraction=1.0", &["must lie in [0, 1)"]),
        ("data.path=nowhere", &["nowhere"]),
        ("data.sequences=0", &["data.sequences must be at least 1"]),
        ("run.steps=1000000", &["training tokens", "data.epochs"]),
        ("model.heads=3", &["16", "3"]),
        ("model.vocabulary=10", &["257 tokens", "only 10"]),
        ("model.init_from=none.safetensors", &["none.safetensors"]),
        ("decay.anchor=elsewhere", &["no anchor is called `elsewhere`", "\"initial\""]),
        ("decay.anchor=0.5", &["{ norm = 1.0 }"]),
        ("decay.anchor.file=\"a\"", &["an anchor has no `file`", "checkpoint"]),
        ("decay.anchor.checkpoint=\"none.safetensors\"", &["none.safetensors", "wd export"]),
        ("decay.anchor.norm=-1.0", &["decay.anchor.norm = -1"]),
        ("decay.schedule=cosine", &["expected a table", "kind = \"cosine\""]),
        ("schedule.warmup=soon", &["a number of steps, such as 400"]),
        ("optim.lr=20", &["step 2 would take", "embedding.token.weight", "past where"]),
        (
            "decay.rule=hyperball",
            &["hyperball holds norms and has no λ", "write 1 (held)", "--set decay.lambda=1"],
        ),
        (
            "decay={ rule = \"hyperball\" }\nmodel.init_std=0.0",
            &["would hold block.0.attention.qkv.weight at the norm 0"],
        ),
        (
            "decay={ rule = \"hyperball\", cautious = true }",
            &["brings whole tensors", "cautious = true"],
        ),
        ("decay={ rule = \"hyperball\", anchor = \"initial\" }", &["decays to no point"]),
        (
            "decay={ rule = \"hyperball\", schedule = { kind = \"cosine\" } }",
            &["no λ that a schedule could multiply"],
        ),
        (
            "decay={ rule = \"hyperball\", policy = \"everything\" }",
            &["hyperball holds matrices", "decay.policy = \"matrices\""],
        ),
    ];
    for (setting, expected) in cases {
        let mut command = wd();
        command.arg("train").arg(&config);
        for setting in setting.lines() {
            command.args(["--set", setting]);
        }
        let message = fail(command.arg("--run-dir").arg(folder.path().join("refused")));
        for part in expected {
            assert!(message.contains(part), "{setting} gave no «{part}»:\n{message}");
        }
    }
    assert!(!folder.path().join("refused/metrics.bin").exists(), "a refused run must not begin");
}

#[test]
fn arguments_are_refused_with_the_fix() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 20, "");
    let nowhere = folder.path().join("nowhere");
    let table = folder.path().join("table.csv");
    std::fs::write(&table, "x,c,y\n1,b,1\n2,a,4\n3,b,9\n4,a,16\n5,b,25\n6,a,36\n")
        .expect("a table");
    let model = folder.path().join("model.json");
    succeed(wd().arg("evidence").arg(&table).args(["--target", "y", "--save"]).arg(&model));
    let cases: [(Vec<&Path>, &[&str], &str); 13] = [
        (vec!["predict".as_ref(), &table, &model], &[], "the model and the table are swapped"),
        (vec!["report".as_ref(), &table], &[], "is for wd evidence"),
        (
            vec!["sweep".as_ref(), &config],
            &["--set", "decay.lambda=0,0.1"],
            "a word of its own behind the configuration",
        ),
        (
            vec!["convert".as_ref()],
            &["torch.AdamW", "weight_decay=0.1", "--to", "optax"],
            "`optax` is a library: name one of its entries: `optax.adamw`",
        ),
        (
            vec!["convert".as_ref()],
            &["torch.AdamW", "weight_decay=0.1", "--to", "keras"],
            "`keras.AdamW`",
        ),
        (vec!["explain".as_ref()], &["weight_decay=0.1"], "a library entry first"),
        (vec!["sweep".as_ref(), &config], &["decay.lambda=0..x"], "whole numbers"),
        (vec!["sweep".as_ref(), &config], &["decay.lambda="], "no value"),
        (vec!["sweep".as_ref(), &config], &["decay.lamda=0,1"], "did you mean `lambda`"),
        (vec!["metrics".as_ref(), &nowhere], &[], "nowhere"),
        (vec!["report".as_ref(), &nowhere], &[], "nowhere"),
        (vec!["train".as_ref(), &config], &["--threads", "0"], "--threads 0"),
        (vec!["bench".as_ref()], &["--seconds", "0"], "--seconds 0"),
    ];
    for (paths, arguments, expected) in cases {
        let message = fail(wd().args(&paths).args(arguments).current_dir(folder.path()));
        assert!(message.contains(expected), "{arguments:?} gave:\n{message}");
    }
}

#[test]
fn damaged_files_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 20, "");
    let run = folder.path().join("run");
    succeed(wd().arg("train").arg(&config).arg("--run-dir").arg(&run));

    let message = fail(wd().arg("metrics").arg(&run).args(["--columns", "step,train_los"]));
    assert!(message.contains("train_loss"), "{message}");

    let metrics = run.join("metrics.bin");
    let bytes = std::fs::read(&metrics).expect("metrics");
    let mut damaged = bytes.clone();
    damaged[60] ^= 1;
    std::fs::write(&metrics, &damaged).expect("metrics");
    assert!(fail(wd().arg("metrics").arg(&run)).contains("metrics.bin"));
    // A torn last row is what a kill leaves: it is dropped, not refused.
    std::fs::write(&metrics, &bytes[..bytes.len() - 3]).expect("metrics");
    succeed(wd().arg("metrics").arg(&run));

    let shard = corpus.join("tokens-000.bin");
    let tokens = std::fs::read(&shard).expect("tokens");
    std::fs::write(&shard, &tokens[..tokens.len() / 2]).expect("tokens");
    let message = fail(wd().arg("plan").arg(&config));
    assert!(message.contains("tokens-000.bin"), "{message}");
}

#[test]
fn a_diverging_run_is_a_result_with_its_own_exit_code() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 200, "");
    let run = folder.path().join("run");
    let output = wd()
        .arg("train")
        .arg(&config)
        .args(["--set", "optim.kind=sgd", "--set", "optim.lr=1e20", "--set", "optim.clip=0"])
        .args(["--set", "decay.lambda=0", "--run-dir"])
        .arg(&run)
        .output()
        .expect("the command starts");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains("diverged at step"), "{message}");
    let events = std::fs::read_to_string(run.join("events.jsonl")).expect("events");
    assert!(events.contains("\"diverged\""), "{events}");
    // Its numbers stay readable.
    succeed(wd().arg("metrics").arg(&run).arg("--csv"));
}
