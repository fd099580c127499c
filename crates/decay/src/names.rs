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

/// The one of the `known` names that `given` is surely a slip of: a letter more, less or other, or
/// two that changed places, in a name of some length. Names that differ in a number alone are two.
pub fn slip_of<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    let letters = |name: &str| name.replace(|letter: char| letter.is_ascii_digit(), "");
    let is_slip = |name: &&str| {
        let name = name.to_lowercase();
        let most = if name.len() < 10 { 1 } else { 2 };
        let distance = strsim::damerau_levenshtein(&given, &name);
        name.len() >= 5 && (1..=most).contains(&distance) && letters(&given) != letters(&name)
    };
    known.into_iter().find(is_slip)
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
