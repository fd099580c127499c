//! Numbers with what they count.

use std::fmt::Display;

/// A count as it is shown, with its noun: `1 step`, `1,000 steps`.
///
/// The noun is that of what is *shown*, so that a number which rounds to 1 has one thing, too.
pub(crate) fn counted(shown: impl Display, noun: &str) -> String {
    let shown = shown.to_string();
    let ending = match shown.as_str() {
        "1" => "",
        _ if noun.ends_with('s') || noun.ends_with("tch") => "es",
        _ => "s",
    };
    format!("{shown} {noun}{ending}")
}
