//! Every hint of a message about a setting is applied to the words that caused it, and leads on.

mod support;

use std::process::Output;

use support::{prepare_corpus, wd, write_config};

/// A command that is refused, or lacks something, and what its message leads to.
struct Case {
    command: &'static str,
    /// A part of its message.
    says: &'static str,
    /// Beginnings of words that the message has one take away.
    without: &'static [&'static str],
    /// Words that it has one add.
    with: &'static [&'static str],
    /// What is said then.
    then: &'static str,
}

const fn case(
    command: &'static str,
    says: &'static str,
    without: &'static [&'static str],
    with: &'static [&'static str],
    then: &'static str,
) -> Case {
    Case { command, says, without, with, then }
}

const CASES: [Case; 24] = [
    // explain: what is missing.
    case(
        "explain timm.AdamW weight_decay=0.05 lr=1e-3 schedule=cosine epochs=300 batch=1024",
        "data=…, the distinct data points",
        &[],
        &["data=126689"],
        "37,115 steps",
    ),
    case(
        "explain timm.AdamW weight_decay=0.05 lr=1e-3 epochs=300 data=126689",
        "batch=…: with the epochs and the data",
        &[],
        &["batch=1024"],
        "37,115 steps",
    ),
    case(
        "explain timm.AdamW weight_decay=0.05 lr=1e-3 batch=1024 data=126689",
        "epochs=…: with the data and the batch",
        &[],
        &["epochs=300"],
        "37,115 steps",
    ),
    case(
        "explain torch.AdamW weight_decay=0.1 lr=1e-3",
        "More with steps=…",
        &[],
        &["steps=1000"],
        "κ",
    ),
    case(
        "explain torch.AdamW weight_decay=0.1 lr=1e-3 steps=1000",
        "schedule=…, without which",
        &[],
        &["schedule=cosine"],
        "cosine to zero",
    ),
    case("explain keras.L2 l2=1e-4 steps=1000", "lr=…", &[], &["lr=0.01"], "learning rate"),
    case(
        "explain torch.SGD weight_decay=1e-4 lr=0.1 steps=1000",
        "data=N",
        &[],
        &["data=50000", "reduction=mean"],
        "1/σ²",
    ),
    case("explain sklearn.Ridge alpha=1", "noise_std", &[], &["noise_std=0.5"], "σ = 0.5"),
    // explain: what is refused.
    case(
        "explain torch.AdamW wd=0.1 lr=1e-3",
        "nearest: `weight_decay`",
        &["wd"],
        &["weight_decay=0.1"],
        "The step",
    ),
    case(
        "explain torch.AdamW weight_decay=0.1 lr=1e-3 warmup=400 steps=5000",
        "schedule=cosine,warmup=400",
        &["warmup"],
        &["schedule=cosine,warmup=400"],
        "after 400 warm-up steps",
    ),
    case(
        "explain torch.AdamW weight_decay=0.1 lr=1e-3 schedule=wsd steps=5000",
        "wsd,decay=20%",
        &["schedule"],
        &["schedule=wsd,decay=20%"],
        "κ",
    ),
    case(
        "explain torch.SGD weight_decay=5e-4 lr=0.1 steps=6000 schedule=multistep,milestones=60,120",
        "schedule=points,points=0:1/0.375:1/0.375:0.1/0.75:0.1/0.75:0.01",
        &["schedule"],
        &["schedule=points,points=0:1/0.375:1/0.375:0.1/0.75:0.1/0.75:0.01"],
        "κ",
    ),
    case(
        "explain torch.SGD weight_decay=5e-4 lr=0.1 steps=6000 schedule=onecycle",
        "schedule=points,points=0:0.04/0.3:1:cosine/1:0:cosine",
        &["schedule"],
        &["schedule=points,points=0:0.04/0.3:1:cosine/1:0:cosine"],
        "κ",
    ),
    case(
        "explain torch.AdamW weight_decay=0.4 weight_decay_end=0.04 lr=5e-4 steps=1000",
        "lambda_schedule=points,points=0:0.1/1:1:cosine",
        &["weight_decay_end"],
        &["lambda_schedule=points,points=0:0.1/1:1:cosine"],
        "κ",
    ),
    case(
        "explain torch.AdamW weight_decay=0.1 lr=1e-3 tokens=3B batch=512seq",
        "context=…",
        &[],
        &["context=1024"],
        "5,722 steps",
    ),
    case(
        "explain torch.AdamW weight_decay=0.1 lr=1e-3 steps=100 accumulation=4",
        "batch=…",
        &[],
        &["batch=8"],
        "100 steps of 32 examples",
    ),
    case(
        "explain torch.AdamW weight_decay=0.1 --svg x.svg",
        "add lr=… and steps=…",
        &[],
        &["lr=1e-3", "steps=100"],
        "The step",
    ),
    case(
        "explain torch.SGD weight_decay=1e-4 lr=0.1 --set decay.lambda=1",
        "write the keys behind the library",
        &["--set", "decay.lambda"],
        &[],
        "The step",
    ),
    // convert.
    case(
        "convert sklearn.MLPRegressor alpha=0.01 data=2000 --to torch.Adam",
        "loss=half-mse",
        &[],
        &["loss=half-mse", "batch=200"],
        "Exact",
    ),
    case(
        "convert sklearn.SGDClassifier alpha=1e-4 --to torch.SGD",
        "data=N",
        &[],
        &["data=2000"],
        "Exact",
    ),
    // advise.
    case(
        "advise --params 124M --lr 6e-4",
        "give tokens, or images and epochs, or steps and batch",
        &[],
        &["--tokens", "3B", "--batch", "0.5M"],
        "Answer",
    ),
    case(
        "advise --params 124M --lr 6e-4 --tokens 3B --batch 512seq",
        "context=…",
        &[],
        &["--context", "1024"],
        "Answer",
    ),
    case(
        "advise params=124M tokens=3B",
        "--batch",
        &[],
        &["batch=0.5M", "lr=6e-4", "schedule=cosine"],
        "Power Lines alone applies",
    ),
    case(
        "advise 124M",
        "wd advise params=124M tokens=10B",
        &["124M"],
        &["params=124M", "tokens=10B"],
        "Answer",
    ),
];

fn run(folder: &std::path::Path, words: &[&str]) -> Output {
    wd().args(words).current_dir(folder).output().expect("the command starts")
}

/// Everything that was said, in one line without the frame of messages.
fn said(output: &Output) -> String {
    let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    let joined = text.join("\n");
    let words = joined.split_whitespace().filter(|word| !["│", "×"].contains(word));
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn every_hint_about_a_setting_leads_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for Case { command, says, without, with, then } in CASES {
        let words: Vec<&str> = command.split(' ').collect();
        let before = said(&run(folder.path(), &words));
        assert!(before.contains(says), "{command} does not say `{says}`:\n{before}");
        let is_kept = |word: &&str| !without.iter().any(|gone| word.starts_with(gone));
        let mended: Vec<&str> =
            words.into_iter().filter(is_kept).chain(with.iter().copied()).collect();
        let output = run(folder.path(), &mended);
        let after = said(&output);
        // 4 says that no law covers the run, which is an answer.
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 4)), "{command}\n→ {mended:?} led to\n{after}");
        assert!(after.contains(then), "{mended:?} does not say `{then}`:\n{after}");
    }
}

#[test]
fn the_fix_of_a_warning_takes_it_away() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let base = ["explain", "torch.AdamW", "lr=1e-3"];
    // What λ would give κ = 1 is said, and does.
    let weak =
        said(&run(folder.path(), &[&base[..], &["weight_decay=1e-3", "steps=1000"]].concat()));
    let told = weak.split("→ λ = ").nth(1).and_then(|rest| rest.split(' ').next()).expect(&weak);
    let setting = format!("weight_decay={told}");
    let mended = said(&run(folder.path(), &[&base[..], &[&setting, "steps=1000"]].concat()));
    assert!(mended.contains("κ = Σ s 1:") && !mended.contains("would give κ = 1"), "{mended}");

    let only = ["weight_decay=1", "steps=1000", "schedule=cosine,warmup=1000"];
    let rising = said(&run(folder.path(), &[&base[..], &only].concat()));
    let told = rising.split("to warmup=").nth(1).and_then(|rest| rest.split(' ').next());
    let schedule = format!("schedule=cosine,warmup={}", told.expect(&rising));
    let words = [&base[..], &["weight_decay=1", "steps=1000", &schedule]].concat();
    let mended = said(&run(folder.path(), &words));
    assert!(rising.contains("as long as the run") && !mended.contains("as long as the run"));

    // A default is warned of until it is given.
    let silent = said(&run(folder.path(), &["explain", "torch.AdamW", "steps=1000"]));
    assert!(silent.contains("weight_decay was not given") && silent.contains("lr was not given"));
    let given =
        said(&run(folder.path(), &[&base[..], &["weight_decay=0.01", "steps=1000"]].concat()));
    assert!(!given.contains("was not given"), "{given}");
}

#[test]
fn hints_of_training_reporting_and_evaluating_lead_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = prepare_corpus(folder.path());
    let config = write_config(folder.path(), &corpus, 10, "");
    let config = config.to_str().expect("UTF-8");
    let there = folder.path();
    // A kind of schedule that is unknown: the kinds are listed, and one of them trains.
    let wrong =
        run(there, &["train", config, "--run-dir", "a", "--set", "schedule.kind=piecewise"]);
    let message = said(&wrong);
    assert!(!wrong.status.success() && message.contains("points") && message.contains("linear"));
    let right = run(there, &["train", config, "--run-dir", "a", "--set", "schedule.kind=linear"]);
    assert!(right.status.success(), "{}", said(&right));
    // What is no study has no analysis; the command that is named prints its numbers.
    let message = said(&run(there, &["report", "a", "--json"]));
    assert!(message.contains("wd metrics RUN_DIR --json"), "{message}");
    assert!(run(there, &["metrics", "a", "--json"]).status.success());
    // A run on text has no images to be judged on; the two commands that are named judge it.
    let message = said(&run(there, &["evaluate", "a"]));
    assert!(message.contains("--round") && message.contains("wd sample"), "{message}");
    assert!(run(there, &["evaluate", "a", "--round", "4"]).status.success());
    assert!(run(there, &["sample", "a", "--tokens", "5"]).status.success());
    // An override that lifts an exemption is warned of, and the fix is taken.
    let by_block = "decay.overrides.\"block.*\"=0.05";
    let message = said(&run(there, &["plan", config, "--set", by_block]));
    assert!(message.contains("decay that policy"), "{message}");
    let gains = ["--set", "decay.overrides.\"block.*{norm.weight,bias}\"=0.0"];
    let mended = said(&run(there, &[&["plan", config, "--set", by_block][..], &gains].concat()));
    assert!(mended.contains("What decays, and why"), "{mended}");
    assert!(!mended.contains("decay that policy"), "{mended}");
}
