//! The README shows what the commands print: its console blocks are run, and their output compared.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every `$ command` of the console blocks, with the lines that are shown under it.
fn shown(text: &str) -> Vec<(String, Vec<String>)> {
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    for block in text.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        for line in block.lines() {
            match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => commands.push((command.to_owned(), Vec::new())),
                (None, Some((_, lines))) => lines.push(line.to_owned()),
                (None, None) => panic!("«{line}» stands under no command"),
            }
        }
    }
    commands
}

/// Do the lines printed hold the lines shown, in order? A line `…` stands for any number of lines.
fn matches(shown: &[String], printed: &[&str]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((line, rest)) if line == "…" => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]))
        }
        Some((line, rest)) => {
            let first = printed.first().is_some_and(|printed| printed.trim_end() == line);
            first && matches(rest, &printed[1..])
        }
    }
}

#[test]
fn commands_print_what_the_readme_shows() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    assert!(readme.lines().count() <= 130, "the README is longer than 130 lines");
    let commands = shown(&readme);
    assert!(commands.len() >= 4, "only {} commands are shown", commands.len());
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(root().join("corpora"), folder.path().join("corpora"))
        .expect("a link");
    for (command, lines) in commands {
        let mut words = command.split_whitespace();
        assert_eq!(words.next(), Some("wd"), "{command}");
        let output = Command::new(env!("CARGO_BIN_EXE_wd"))
            .args(words)
            .current_dir(folder.path())
            .output()
            .expect("wd");
        assert!(output.status.success(), "{command}: {output:?}");
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        let printed: Vec<&str> = printed.lines().collect();
        assert!(
            matches(&lines, &printed),
            "the README shows another output of `{command}` than\n{}",
            printed.join("\n")
        );
    }
}

#[test]
fn a_dot_line_stands_for_any_lines() {
    let shown = ["a", "…", "d"].map(str::to_owned);
    assert!(matches(&shown, &["a", "b", "c", "d"]) && matches(&shown, &["a", "d"]));
    assert!(!matches(&shown, &["a", "b"]) && !matches(&shown, &["b", "d"]));
}
