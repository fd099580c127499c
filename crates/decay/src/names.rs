//! Names that people type: found among the known ones, or answered with the nearest.

use strum::VariantArray;

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

/// The variant of `T` that is called `given`.
///
/// # Errors
/// Lists the known names where there is none.
pub fn find<T>(what: &'static str, given: &str) -> Result<T, DecayError>
where
    T: VariantArray + Copy + Into<&'static str>,
{
    let found = T::VARIANTS.iter().copied().find(|&one| one.into() == given);
    found.ok_or_else(|| DecayError::UnknownName {
        what,
        given: given.to_owned(),
        known: listed::<T>(),
    })
}

/// The names of every variant of `T`, for messages: `mean, sum`.
pub fn listed<T>() -> String
where
    T: VariantArray + Copy + Into<&'static str>,
{
    let names: Vec<&'static str> = T::VARIANTS.iter().map(|&one| one.into()).collect();
    names.join(", ")
}
