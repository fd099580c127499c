//! The book says what the crates say: its pages are there, hold the crates' own words as plain text,
//! and name commands that exist. `UPDATE_BOOK=1` writes the words anew.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use wd_decay::DecayRule;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/book/src")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every page of the table of contents, by its path.
fn pages() -> Vec<PathBuf> {
    let summary = read(&source().join("SUMMARY.md"));
    let links = summary.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    links.map(|(path, _)| source().join(path)).collect()
}

#[test]
fn the_table_of_contents_is_the_folder() {
    let mut listed = pages();
    let mut found = vec![source().join("SUMMARY.md")];
    for folder in ["", "rules", "audit", "audit/rules"].map(|folder| source().join(folder)) {
        let entries = std::fs::read_dir(&folder).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        found.extend(paths.filter(|path| path.extension().is_some_and(|kind| kind == "md")));
    }
    listed.push(source().join("SUMMARY.md"));
    listed.sort();
    found.sort();
    listed.dedup();
    found.dedup();
    assert_eq!(listed, found);
}

#[test]
fn every_rule_has_its_page_which_is_the_crates_own() {
    let overview = read(&source().join("rules.md"));
    for &rule in DecayRule::ALL {
        let page = source().join(format!("rules/{rule}.md"));
        assert!(pages().contains(&page), "{rule} is not in SUMMARY.md");
        let from = format!("<!-- from crates/decay/docs/rules/{rule}.md -->");
        assert!(read(&page).contains(&from), "{rule}");
        let row = format!("| [{rule}](rules/{rule}.md) | {} |", rule.equation());
        assert!(overview.contains(&row), "rules.md has no {row}");
    }
}

#[test]
fn what_pages_link_exists() {
    for page in pages() {
        let text = read(&page);
        let folder = page.parent().expect("a folder");
        assert!(!text.contains("{{#include"), "{}: a forge shows no includes", page.display());
        let linked = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        for (path, _) in linked {
            assert!(folder.join(path).exists(), "{}: {path}", page.display());
        }
    }
}

/// The text between `<!-- from FILE -->` and `<!-- to here -->` is that of the file; what is no
/// Markdown stands in a fence.
#[test]
fn what_pages_have_from_the_crates_is_what_the_crates_say() {
    const END: &str = "\n<!-- to here -->";
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut count = 0;
    for page in pages() {
        let text = read(&page);
        let mut whole = text.clone();
        for part in text.split("<!-- from ").skip(1) {
            let (file, rest) = part.split_once(" -->\n").expect("a marker on a line of its own");
            let (held, _) = rest.split_once(END).expect("an end");
            let own = read(&root.join(file));
            let own = match Path::new(file).extension().and_then(|kind| kind.to_str()) {
                Some("md") => own.trim_end().to_owned(),
                kind => format!("```{}\n{}\n```", kind.unwrap_or_default(), own.trim_end()),
            };
            whole = whole.replacen(&format!("{held}{END}"), &format!("{own}{END}"), 1);
            count += 1;
        }
        if std::env::var_os("UPDATE_BOOK").is_some() && whole != text {
            std::fs::write(&page, &whole).expect("the page is writable");
        } else {
            assert!(whole == text, "{}: run the test with UPDATE_BOOK=1", page.display());
        }
    }
    assert!(count > 10, "{count}");
}

#[test]
fn commands_in_pages_are_commands() {
    let mut count = 0;
    for page in pages() {
        let text = read(&page);
        for line in text.lines().filter(|line| line.starts_with("wd ")) {
            let words: Vec<&str> = line.split_whitespace().skip(1).collect();
            let has_commands = ["data", "study", "reproduce"].contains(&words[0])
                && words.get(1).is_some_and(|word| !word.starts_with('-'));
            let name = if has_commands { &words[..2] } else { &words[..1] };
            let help = Command::new(env!("CARGO_BIN_EXE_wd")).args(name).arg("--help").output();
            let help = help.expect("the command starts");
            assert!(help.status.success(), "{line}");
            let help = String::from_utf8_lossy(&help.stdout).into_owned();
            for option in words.iter().filter(|word| word.starts_with("--")) {
                assert!(help.contains(*option), "{line}: no {option}");
            }
            count += 1;
        }
    }
    assert!(count > 5, "only {count} commands");
}
