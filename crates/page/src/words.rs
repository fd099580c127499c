//! Numbers with what they count, and sentences.

use std::fmt::Display;

/// A count as it is shown, with its noun: `1 step`, `1,000 steps`.
///
/// The noun follows what is *shown*, so that a number which rounds to 1 has one thing, too.
///
/// ```
/// use wd_page::counted;
/// assert_eq!(counted(1, "step"), "1 step");
/// assert_eq!(counted("1,000", "batch"), "1,000 batches");
/// assert_eq!(counted(0.36, "epoch"), "0.36 epochs");
/// ```
pub fn counted(shown: impl Display, noun: &str) -> String {
    let shown = shown.to_string();
    let ending = match shown.as_str() {
        "1" => "",
        _ if noun.ends_with('s') || noun.ends_with("tch") => "es",
        _ => "s",
    };
    format!("{shown} {noun}{ending}")
}

/// The text with a capital at its beginning; a symbol stays itself, since Λ is not λ.
pub fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| match first {
        'λ' | 'α' | 'β' | 'γ' | 'η' | 'κ' | 'σ' | 'τ' => text.to_owned(),
        _ => first.to_uppercase().chain(characters).collect(),
    })
}

/// A word as a shell reads it back.
///
/// ```
/// assert_eq!(wd_page::words::quoted("runs/first"), "runs/first");
/// assert_eq!(wd_page::words::quoted("it's"), r"'it'\''s'");
/// ```
pub fn quoted(word: &str) -> String {
    let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c));
    if is_plain && !word.is_empty() {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
