//! A crate of somebody else: with the libraries alone it fits evidence, explains a setting, and gets
//! the pages that the command writes.

use std::{fmt::Write as _, path::Path, process::Command};

/// The whole crate.
const MAIN: &str = r#"
use wd_conventions::{Setting, library};
use wd_decay::{Run, Schedule, ScheduleKind};
use wd_evidence::fit::{Request, fit};
use wd_page::Context;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let table = words.next().ok_or("a table")?;
    let context = |command: Option<String>| Context {
        commands: command.into_iter().collect(),
        ..Context::default()
    };
    let analysis = fit(&[&table], &Request::new("target"))?;
    std::fs::write("evidence.html", analysis.page(&context(words.next())).html())?;

    let run = Run {
        steps: Some(1000),
        schedule: Some(Schedule::new(ScheduleKind::Cosine, 0, 1000, 0.0, 0)?),
        ..Run::at_peak(1e-3)
    };
    let setting = Setting::new(library::find("torch.AdamW")?, 0.1, run)?;
    let page = setting.explain()?.page(&context(words.next()));
    std::fs::write("explained.html", page.html())?;
    Ok(())
}
"#;

fn manifest(crates: &Path, workspace: &str) -> String {
    let mut text = "[package]\nname = \"outside\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                    [workspace]\n\n[dependencies]\n"
        .to_owned();
    for name in ["conventions", "decay", "evidence", "page"] {
        let path = crates.join(name).display().to_string();
        let _infallible = writeln!(text, "wd-{name} = {{ path = {path:?} }}");
    }
    // The same profile, so that what the tests were built with is not built again.
    let profile = workspace.find("[profile.dev]").expect("a profile");
    text.push('\n');
    text.push_str(&workspace[profile..]);
    text
}

fn ran(command: &mut Command) {
    let output = command.output().expect("a program");
    assert!(output.status.success(), "{command:?}: {output:?}");
}

#[test]
fn a_crate_outside_gets_the_commands_pages() {
    assert!(MAIN.trim().lines().count() < 40);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("a root");
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    std::fs::create_dir(here.join("src")).expect("a folder");
    std::fs::write(here.join("src/main.rs"), MAIN).expect("a file");
    let workspace = std::fs::read_to_string(root.join("Cargo.toml")).expect("Cargo.toml");
    std::fs::write(here.join("Cargo.toml"), manifest(&root.join("crates"), &workspace))
        .expect("a file");
    std::fs::copy(root.join("Cargo.lock"), here.join("Cargo.lock")).expect("a file");

    let table = root.join("corpora/tables/diabetes.csv").display().to_string();
    let wd = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wd"));
        command.current_dir(here);
        command
    };
    let evidence = ["evidence", &table, "--target", "target", "--out", "ours.html"];
    ran(wd().args(evidence));
    let explain =
        ["explain", "torch.AdamW", "weight_decay=0.1", "lr=1e-3", "schedule=cosine", "steps=1000"];
    ran(wd().args(explain).args(["--html", "ours-explained.html"]));

    let typed = |words: &[&str]| format!("wd {}", words.join(" "));
    ran(Command::new(env!("CARGO"))
        .args(["run", "--offline", "--quiet", "--", &table])
        .arg(typed(&evidence))
        .arg(typed(&explain) + " --html ours-explained.html")
        .env("CARGO_TARGET_DIR", root.join("target"))
        .current_dir(here));
    let page = |name: &str| std::fs::read_to_string(here.join(name)).expect(name);
    assert_eq!(page("evidence.html"), page("ours.html"));
    assert_eq!(page("explained.html"), page("ours-explained.html"));
}
