//! Every hint of a message about a table is applied to the table that caused it, and leads on.

#[expect(dead_code, reason = "no corpus is needed here")]
mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use support::wd;

/// A table, the options it is read with, and what each hint comes to.
struct Case {
    bytes: Vec<u8>,
    options: &'static str,
    hints: &'static [&'static str],
}

fn case(text: impl Into<Vec<u8>>, options: &'static str, hints: &'static [&'static str]) -> Case {
    Case { bytes: text.into(), options, hints }
}

/// 60 rows of `cell(row)`, a number, and y.
fn rows(head: &str, cell: impl Fn(usize) -> String) -> String {
    let rows: String = (0..60)
        .map(|row| {
            format!("{}{}{}{}\n", cell(row), separator(head), row * row % 13, end(head, row))
        })
        .collect();
    format!("{head}\n{rows}")
}

fn separator(head: &str) -> char {
    head.chars().find(|letter| ",;".contains(*letter)).unwrap_or(',')
}

fn end(head: &str, row: usize) -> String {
    let separator = separator(head);
    format!("{separator}{}", (row * 7 + row * row % 5) % 17)
}

fn evidence(folder: &Path, bytes: &[u8], options: &str) -> std::process::Output {
    let path = folder.join("table.csv");
    std::fs::write(&path, bytes).expect("a writable folder");
    let mut command = wd();
    command.arg("evidence").arg(&path);
    // An option may hold a blank within quotes.
    command.args(
        options.split(' ').filter(|word| !word.is_empty()).map(|word| word.replace('_', " ")),
    );
    command.current_dir(folder).output().expect("the command starts")
}

/// The options that a message names.
fn flags(message: &str) -> BTreeSet<String> {
    let words = message.split(|letter: char| letter.is_whitespace() || "`,;:)".contains(letter));
    words.filter(|word| word.starts_with("--")).map(str::to_owned).collect()
}

fn cases() -> Vec<Case> {
    let odd = rows("x,z,y", |row| if row % 20 == 3 { "?".to_owned() } else { row.to_string() });
    let late = {
        let rows: String = (0..6000)
            .map(|row| {
                format!(
                    "{},{},{}\n",
                    if row == 5990 { "n.a.".to_owned() } else { (row % 97).to_string() },
                    row % 7,
                    row % 11
                )
            })
            .collect();
        format!("x,z,y\n{rows}")
    };
    let wide: Vec<u8> =
        rows("x,z,y", |row| row.to_string()).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin: Vec<u8> = rows("x,z,y", |row| ["Bö", "Ah"][row % 2].to_owned())
        .chars()
        .map(|letter| letter as u8)
        .collect();
    let levels: String =
        (0..4200).map(|row| format!("name{row},{},{}\n", row % 7, row % 11)).collect();
    vec![
        case(odd.clone(), "--target y", &["--missing ? --drop-missing-rows", "--categorical x"]),
        case(late, "--target y", &["--missing n.a. --impute mean", "--categorical x"]),
        case(rows("x;z;y", |row| format!("{row},5")), "--target y", &["--decimal ,"]),
        case(
            rows("x;z;y", |row| format!("{},125", row + 1)),
            "--target y",
            &["--decimal ,", "--thousands ,"],
        ),
        case(rows("x;z;y", |row| format!("1,{row:03},125")), "--target y", &["--thousands ,"]),
        case(
            rows("x;z;y", |row| format!("1.{row:03},25")),
            "--target y",
            &["--thousands . --decimal ,"],
        ),
        case(rows("x,z,y", |row| format!("1'{row:03}.5")), "--target y", &["--thousands '"]),
        case(rows("x,z,y", |row| format!("1 {row:03}.5")), "--target y", &["--thousands space"]),
        case(
            rows("x,z,y", |row| format!("${row}.5")),
            "--target y",
            &["--strip $", "--categorical x"],
        ),
        case(
            rows("x;z;y", |row| format!("{row},5 €")),
            "--target y --decimal ,",
            &["--decimal , --strip €", "--categorical x"],
        ),
        case(
            rows("x,z,y", |row| if row == 3 { "inf".to_owned() } else { row.to_string() }),
            "--target y",
            &["--missing inf --drop-missing-rows"],
        ),
        case(
            rows("x,z,y", |row| if row % 9 == 1 { String::new() } else { row.to_string() }),
            "--target y",
            &["--drop-missing-rows", "--impute mean", "--drop x"],
        ),
        case(
            rows("z,x,y", |row| row.to_string()).replacen("1,1,8\n", "1,1,\n", 1),
            "--target y",
            &["--drop-missing-rows"],
        ),
        case(
            rows("sold,z,y", |row| format!("2023-{:02}-{:02}", row % 12 + 1, row % 28 + 1)),
            "--target y",
            &["--dates days", "--dates year-month", "--categorical sold", "--drop sold"],
        ),
        case(wide, "--target y", &["--encoding utf-16"]),
        case(latin, "--target y", &["--encoding latin1"]),
        case(rows("0,5,2", |row| row.to_string()), "--target column3", &["--no-header"]),
        case(
            format!("# made by hand\n{}", rows("x,z,y", |row| row.to_string())),
            "--target y",
            &["--comment #", "--comment # --delimiter ,"],
        ),
        case(
            rows("x,z,y", |row| row.to_string()).replace(',', "^"),
            "--target y",
            &["--delimiter ^"],
        ),
        case(
            format!("% by hand\n{}", rows("x z y", |row| row.to_string()).replace(',', " ")),
            "--target y",
            &["--comment %"],
        ),
        case(format!("n,z,y\n{levels}"), "--target y", &["--drop n"]),
        case(
            rows("x,z,y", |row| row.to_string()).replace(",0\n", ",no\n").replace(",1\n", ",yes\n"),
            "--target y",
            &["--missing no,yes --drop-missing-rows", "--categorical y --family softmax"],
        ),
        case("x,y\n1,a\n2,b\n3,a\n5,b\n4,a\n7,a\n8,b\n", "--target y", &["--family logistic"]),
        case(
            rows("x,z,y", |row| row.to_string()),
            "--target y --with log(x)",
            &["--with log1p(x)", "--with log(x) --missing 0 --drop-missing-rows"],
        ),
        case(
            rows("l,z,y", |row| format!("{}", row as f64 / 30.0 - 1.0)),
            "--target y --family poisson --offset l",
            &["--offset exp(l)"],
        ),
        case(
            rows("x,z,y", |row| (row + 1).to_string()),
            "--target y --offset x",
            &["--offset x --family poisson"],
        ),
        case(
            rows("x,z,y", |row| (row + 1).to_string()),
            "--target y --family poisson --weights x:precision",
            &["--weights x:repeats"],
        ),
        case(
            "x,y\n1,a\n2,b\n3,a\n5,b\n4,a\n7,a\n8,b\n9,c\n",
            "--target y --family softmax --compare cv:4",
            &["--compare loo"],
        ),
    ]
}

#[test]
fn every_hint_leads_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for Case { bytes, options, hints } in cases() {
        let output = evidence(folder.path(), &bytes, options);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{options}: {message}");
        let mut applied: BTreeSet<String> = flags(options);
        for hint in hints {
            applied.extend(flags(hint));
            // A hint about an option takes the place of what was given.
            let first = hint.split(' ').next().unwrap_or_default();
            let mut kept = Vec::new();
            let mut words = options.split(' ');
            while let Some(word) = words.next() {
                match word == first {
                    true => drop(words.next()),
                    false => kept.push(word),
                }
            }
            let mended = format!("{} {hint}", kept.join(" "));
            let output = evidence(folder.path(), &bytes, &mended);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{message}\n{mended} led to\n{said}");
        }
        let named = flags(&message);
        let untried: Vec<&String> = named.iter().filter(|flag| !applied.contains(*flag)).collect();
        assert!(untried.is_empty(), "{untried:?} were not tried of\n{message}");
    }
}

#[test]
fn unknown_levels_are_told_what_to_be() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let table = rows("x,z,y", |row| ["a", "b", "c"][row % 3].to_owned());
    let held = folder.path().join("held.csv");
    std::fs::write(&held, "x,z,y\na,1,2\nd,3,1\nb,2,2\n").expect("a writable folder");
    let options = "--target y --compare holdout:held.csv";
    let output = evidence(folder.path(), table.as_bytes(), options);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("--unseen baseline"), "{message}");
    for how in ["baseline", "missing"] {
        let output =
            evidence(folder.path(), table.as_bytes(), &format!("{options} --unseen {how}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn standard_input_is_read_as_a_table() {
    let table = rows("x,z,y", |row| row.to_string());
    for arguments in
        [&["evidence", "-", "--target", "y"][..], &["evidence", "/dev/stdin", "--target", "y"]]
    {
        let mut command: Command = wd();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        let input = child.stdin.take().expect("a pipe");
        // A command that refuses its input does not wait for it.
        let _gone = std::io::Write::write_all(&mut { input }, table.as_bytes());
        let output = child.wait_with_output().expect("the command ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        match arguments[1] {
            "-" => {
                assert!(output.status.success(), "{said}");
                let page = String::from_utf8_lossy(&output.stdout).into_owned();
                assert!(page.contains("standard input: ") && !page.contains("/wd-"), "{page}");
            }
            _ => {
                assert!(said.contains("it is a pipe") && said.contains("standard input"), "{said}")
            }
        }
    }
}

/// An error of standard input names it, and no file that stands for it.
#[test]
fn standard_input_is_called_what_it_is() {
    let mut command: Command = wd();
    command.args(["evidence", "-", "--target", "nothing"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let input = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut { input }, b"x,y\n1,2\n3,4\n").expect("an open pipe");
    let output = child.wait_with_output().expect("the command ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("standard input has no column `nothing`"), "{said}");
}

/// What is missing without being declared stands in the help and in the book as in the code.
#[test]
fn words_for_missing_values_stand_in_help_and_book() {
    let help = wd().args(["evidence", "--help"]).output().expect("the command starts");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let book = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/book/src/tables.md");
    let book = std::fs::read_to_string(book).expect("the book");
    for word in wd_data::table::MISSING_WORDS {
        assert!(help.contains(word), "the help lacks {word}");
        assert!(book.contains(&format!("`{word}`")), "the book lacks {word}");
    }
}
