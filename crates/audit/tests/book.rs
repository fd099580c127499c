//! The book's pages of rules are made from the rules' own text.
//!
//! `UPDATE_BOOK=1 cargo test -p wd-audit --test book` writes them.

use std::fs;
use std::path::{Path, PathBuf};

use wd_audit::rules::RULES;

fn book() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/book/src")
}

/// Writes a page when asked to; compares it otherwise.
fn hold(path: &Path, wanted: &str) {
    if std::env::var_os("UPDATE_BOOK").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, wanted).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(found, wanted, "{} is not what the rules say", path.display());
}

#[test]
fn every_rule_has_its_page() {
    let folder = book().join("audit/rules");
    for rule in RULES {
        hold(&folder.join(format!("{}.md", rule.id)), &rule.markdown());
    }
    assert_eq!(fs::read_dir(folder).unwrap().count(), RULES.len(), "a page without a rule");
}

#[test]
fn the_list_of_rules_names_each() {
    let mut list =
        "# Rules of the audit\n\n| rule | severity | finds |\n|---|---|---|\n".to_owned();
    for rule in RULES {
        list.push_str(&format!(
            "| [{id}](rules/{id}.md) {} | {} | {} |\n",
            rule.name,
            rule.severity,
            rule.finds,
            id = rule.id
        ));
    }
    hold(&book().join("audit/rules.md"), &list);
}

#[test]
fn the_summary_lists_every_page_of_a_rule() {
    let summary = fs::read_to_string(book().join("SUMMARY.md")).unwrap();
    for rule in RULES {
        let line = format!("[{} {}](audit/rules/{}.md)", rule.id, rule.name, rule.id);
        assert!(summary.contains(&line), "SUMMARY.md lacks {line}");
    }
}
