//! Names that people type: found among the known ones, or answered with the nearest.

use crate::DecayError;

/// The known names most like `given`, nearest first, at most three, each in backquotes.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let given = given.to_lowercase();
    let mut ranked: Vec<(f64, &str)> = known
        .into_iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(&given, &name.to_lowercase()), name))
        .collect();
    ranked.sort_by(|left, right| right.0.total_cmp(&left.0));
    ranked.dedup_by(|left, right| left.1 == right.1);
    if ranked.is_empty() {
        return "there are none".to_owned();
    }
    let names: Vec<String> = ranked.iter().take(3).map(|(_, name)| format!("`{name}`")).collect();
    names.join(", ")
}

/// The one of `all` that is called `given`.
///
/// # Errors
/// Lists the known names where there is none.
pub fn find<T: Copy, const N: usize>(
    what: &'static str,
    given: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Result<T, DecayError> {
    all.into_iter().find(|&one| name(one) == given).ok_or_else(|| DecayError::UnknownName {
        what,
        given: given.to_owned(),
        known: all.map(name).join(", "),
    })
}
