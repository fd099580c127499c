//! Which rules a person means.

use wd_decay::names::nearest;

use super::{RULES, Rule};
use crate::AuditError;

/// The rule of an identifier or a name; case does not count.
///
/// # Errors
/// With the nearest identifiers and names, if there is no such rule.
pub fn find(name: &str) -> Result<&'static Rule, AuditError> {
    let is_it =
        |rule: &&&Rule| rule.id.eq_ignore_ascii_case(name) || rule.name.eq_ignore_ascii_case(name);
    RULES.iter().find(is_it).copied().ok_or_else(|| unknown(name))
}

/// The rules that are selected and not ignored: an identifier, a name, or the beginning of
/// identifiers, which names a family (`S`, `D0`). An empty selection is all rules.
///
/// # Errors
/// If a word names no rule and begins no identifier.
pub fn select(select: &[String], ignore: &[String]) -> Result<Vec<&'static Rule>, AuditError> {
    for word in select.iter().chain(ignore) {
        if !RULES.iter().any(|rule| is_named(rule, word)) {
            return Err(unknown(word));
        }
    }
    let is_among = |rule: &Rule, words: &[String]| words.iter().any(|word| is_named(rule, word));
    let chosen = RULES
        .iter()
        .copied()
        .filter(|rule| (select.is_empty() || is_among(rule, select)) && !is_among(rule, ignore));
    Ok(chosen.collect())
}

/// Whether a word names a rule or the family that it is of.
pub(crate) fn is_named(rule: &Rule, word: &str) -> bool {
    let begins = rule.id.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    rule.name.eq_ignore_ascii_case(word) || (!word.is_empty() && begins)
}

fn unknown(given: &str) -> AuditError {
    let known = RULES.iter().flat_map(|rule| [rule.id, rule.name]);
    AuditError::Unknown {
        what: "rule",
        given: given.to_owned(),
        nearest: format!("; the nearest are {}", nearest(given, known)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn a_rule_is_found_by_identifier_and_name() {
        assert_eq!(find("S02").unwrap().name, "norm-slipped-in");
        assert_eq!(find("s02").unwrap().id, "S02");
        assert_eq!(find("norm-slipped-in").unwrap().id, "S02");
        let error = find("norm-sliped-in").err().unwrap().to_string();
        assert!(error.contains("`norm-slipped-in`"), "{error}");
    }

    #[test]
    fn a_prefix_selects_a_family() {
        let chosen = select(&words(&["D0", "S02"]), &words(&["D04"])).unwrap();
        let ids: Vec<&str> = chosen.iter().map(|rule| rule.id).collect();
        assert_eq!(ids, ["D01", "D02", "D03", "D05", "D06", "D07", "D08", "S02"]);
        assert_eq!(select(&[], &[]).unwrap().len(), RULES.len());
        assert_eq!(select(&[], &words(&["S"])).unwrap().len(), RULES.len() - 12);
        for word in ["X", "S99", ""] {
            assert!(select(&words(&[word]), &[]).is_err(), "{word}");
        }
    }
}
