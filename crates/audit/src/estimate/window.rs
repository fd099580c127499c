//! What one pair of checkpoints tells of every tensor: the most exact way that the pair allows.

use std::collections::HashMap;

use rayon::prelude::*;
use wd_page::number::count;

use super::consecutive::{self, Fit};
use super::dead_rows::{self, RowChanges};
use super::never_seen::{self, Shrunk};
use super::pair::{Held, Pair, Window};
use super::rates::{Chosen, RateSource, Rates, choose};
use super::update::{Family, Update, family};
use super::{Drift, Estimate, Method, TensorEstimate, drift, unseen};
use crate::case::is_decoupled;
use crate::dialect::Declaration;
use crate::tensor::{Dtype, Tensor};

/// What a pair of checkpoints tells.
#[derive(Default)]
pub(crate) struct WindowProof {
    pub(crate) estimates: Vec<TensorEstimate>,
    pub(crate) drifts: Vec<Drift>,
    /// Why tensors have no estimate: a clause, and the tensors.
    pub(crate) refusals: Vec<(String, Vec<String>)>,
    /// Rates of the first group, with their source.
    pub(crate) chosen: Option<Chosen>,
    /// κ̂ of never-seen rows and the rates of their group, by tensor.
    pub(crate) shrinks: HashMap<String, (Estimate, Vec<f64>)>,
    /// Tensors with rows that had no gradient.
    pub(crate) rows: Vec<RowChanges>,
}

/// What is known of one tensor.
#[derive(Default)]
struct Told {
    estimates: Vec<TensorEstimate>,
    drift: Option<Drift>,
    shrink: Option<(Estimate, Vec<f64>)>,
    rows: Option<RowChanges>,
    refusal: Option<String>,
}

/// Looks at every tensor of a pair of checkpoints.
pub(crate) fn prove(
    window: &Window<'_>,
    given: Option<&Rates>,
    declarations: &[Declaration],
) -> WindowProof {
    let is_consecutive = window.length() == Some(1);
    let fits: Vec<Option<Result<Fit, String>>> = if is_consecutive {
        window.tensors.par_iter().map(|pair| one_step(pair, declarations)).collect()
    } else {
        vec![None; window.tensors.len()]
    };
    if window.length() == Some(0) {
        return WindowProof::default();
    }
    if let Some(clause) = of_other_weights(&fits) {
        let names = window.tensors.iter().map(|pair| pair.name.to_owned()).collect();
        return WindowProof { refusals: vec![(clause, names)], ..WindowProof::default() };
    }
    let rates = rates_of_groups(window, &fits, given, declarations);
    let told: Vec<Told> = window
        .tensors
        .par_iter()
        .zip(fits)
        .map(|(pair, fit)| tell(window, pair, fit, rates.get(&group_of(pair)), declarations))
        .collect();
    let mut proof = WindowProof { chosen: first_group(rates), ..WindowProof::default() };
    for (pair, told) in window.tensors.iter().zip(told) {
        proof.estimates.extend(told.estimates);
        proof.drifts.extend(told.drift);
        proof.rows.extend(told.rows);
        proof.shrinks.extend(told.shrink.map(|shrink| (pair.name.to_owned(), shrink)));
        let Some(clause) = told.refusal else { continue };
        match proof.refusals.iter_mut().find(|(known, _)| *known == clause) {
            Some((_, names)) => names.push(pair.name.to_owned()),
            None => proof.refusals.push((clause, vec![pair.name.to_owned()])),
        }
    }
    in_terms_of_the_declaration(&mut proof, declarations);
    proof
}

/// Why nothing is said of a step that moved most tensors otherwise than the state says: other
/// weights were saved than those that the optimizer moved.
fn of_other_weights(fits: &[Option<Result<Fit, String>>]) -> Option<String> {
    const MOST: f64 = 0.01;
    let known: Vec<&Fit> = fits.iter().flatten().flatten().collect();
    let is_off = |fit: &&&Fit| !fit.is_explained && fit.unexplained > MOST;
    let off = known.iter().filter(is_off).count();
    (known.len() >= 2 && 2 * off > known.len()).then(|| {
        format!(
            "the state explains the change of {} of {} tensors only: these are averaged weights \
             (EMA), another run's, or a step that something else changed too",
            count((known.len() - off) as u64),
            count(known.len() as u64)
        )
    })
}

/// The group of a tensor, by the address of its settings; nothing for tensors in no group.
fn group_of(pair: &Pair<'_>) -> Option<usize> {
    held(pair).map(|held| std::ptr::from_ref(held.group).addr())
}

/// What the second checkpoint's optimizer holds for a tensor, else the first one's.
fn held<'a>(pair: &Pair<'a>) -> Option<Held<'a>> {
    pair.held_after.or(pair.held_before)
}

fn one_step(pair: &Pair<'_>, declarations: &[Declaration]) -> Option<Result<Fit, String>> {
    let after = pair.held_after?;
    if is_coupled(&after, declarations) {
        return Some(Err(
            "its decay is part of the gradient, where only rows that no gradient of the loss reaches \
             show it"
                .to_owned(),
        ));
    }
    if is_kept_in_16_bits(pair.after, &after) {
        return Some(Err("its weights are kept in 16 bits without a 32-bit copy, where rounding \
                         swallows part of each step"
            .to_owned()));
    }
    Some(Update::of(pair.held_before.as_ref(), &after).and_then(|update| {
        consecutive::fit(pair.before, pair.after, &update).ok_or_else(|| {
            "its weights did not change, or its update is parallel to them".to_owned()
        })
    }))
}

/// Whether the optimizer moves weights of 16 bits, and keeps no number of theirs in more.
fn is_kept_in_16_bits(weights: &Tensor, held: &Held<'_>) -> bool {
    let is_short = |tensor: &Tensor| matches!(tensor.dtype(), Dtype::Bfloat16 | Dtype::Float16);
    let tensors = held.state.into_iter().flat_map(|state| &state.tensors);
    // A count of steps is 32-bit in every file.
    let mut moments = tensors.map(|one| &one.tensor).filter(|one| one.elements() > 1).peekable();
    is_short(weights) && moments.peek().is_some() && moments.all(is_short)
}

/// Whether decay is known to be part of the gradient.
pub(crate) fn is_coupled(held: &Held<'_>, declarations: &[Declaration]) -> bool {
    let is_torch_sgd = held.group.dampening.is_some()
        && held.state.is_some_and(|state| family(held, state) == Ok(Family::Momentum))
        && held.optimizer.name.as_deref().is_none_or(|name| name == "SGD");
    match held.group.decoupled {
        Some(is_decoupled) => !is_decoupled,
        None => is_torch_sgd || declarations.iter().any(|one| one.decoupled == Some(false)),
    }
}

/// The learning rates of each group, from what is known, else from the step itself.
fn rates_of_groups(
    window: &Window<'_>,
    fits: &[Option<Result<Fit, String>>],
    given: Option<&Rates>,
    declarations: &[Declaration],
) -> HashMap<Option<usize>, Chosen> {
    let mut rates: HashMap<Option<usize>, Chosen> = HashMap::new();
    let mut fitted: HashMap<Option<usize>, Estimate> = HashMap::new();
    for (pair, fit) in window.tensors.iter().zip(fits) {
        let group = group_of(pair);
        if let Some(Ok(fit)) = fit
            && fit.is_explained
            && fit.rate.value > 0.0
        {
            let width = |rate: &Estimate| (rate.high - rate.low) / rate.value;
            let best = fitted.entry(group).or_insert(fit.rate);
            if width(&fit.rate) < width(best) {
                *best = fit.rate;
            }
        }
        if !rates.contains_key(&group)
            && let Some(chosen) = choose(window, held(pair).as_ref(), given, declarations)
        {
            rates.insert(group, chosen);
        }
    }
    for (group, rate) in fitted {
        // The groups' saved rates are often the next step's, which the step itself corrects, unless
        // its weights were saved in so few digits that it tells less.
        let is_exact = rate.high - rate.low < 1e-3 * rate.value;
        let is_guess = |chosen: &Chosen| {
            is_exact && !matches!(chosen.source, RateSource::File | RateSource::Log)
        };
        if rates.get(&group).is_none_or(is_guess) {
            let chosen = Chosen { rates: vec![rate.value], source: RateSource::Fitted, doubt: 0.0 };
            rates.insert(group, chosen);
        }
    }
    rates
}

/// The rates of any group: the proof shows those of one.
fn first_group(rates: HashMap<Option<usize>, Chosen>) -> Option<Chosen> {
    rates.into_iter().min_by_key(|(group, _)| (group.is_none(), *group)).map(|(_, chosen)| chosen)
}

fn tell(
    window: &Window<'_>,
    pair: &Pair<'_>,
    fit: Option<Result<Fit, String>>,
    chosen: Option<&Chosen>,
    declarations: &[Declaration],
) -> Told {
    let rates = chosen.map(|chosen| chosen.rates.as_slice());
    let mut told = Told::default();
    let from_configuration = || {
        let value = |one: &Declaration| one.lambda.map(|lambda| lambda.value);
        declarations.iter().find_map(|one| one.applied_lambda.or_else(|| value(one)))
    };
    let declared = pair.declared.or_else(|| held(pair).is_none().then(from_configuration)?);
    let pair = Pair { declared, ..*pair };
    match fit {
        Some(Ok(fit)) => match fit.estimate(pair.name, pair.declared, pair.after.rows().0) {
            Ok(estimate) if may_be_coupled(&pair, &estimate, declarations) => {
                told.refusal = Some(
                    "no decay stands beside its gradient, and the file does not say whether its \
                     optimizer adds decay to the gradient (Adam's L2): a configuration that names \
                     the optimizer tells"
                        .to_owned(),
                );
            }
            Ok(estimate) => told.estimates.push(estimate),
            Err(clause) => told.refusal = Some(clause),
        },
        Some(Err(clause)) => told.refusal = Some(clause),
        None => {}
    }
    let largest_rate = held(&pair).and_then(|held| {
        let group = held.group;
        group.initial_rate.into_iter().chain(group.rate).reduce(f64::max)
    });
    if let Some(dead) = dead_rows::find(&pair)
        && let Some(shrunk) = Shrunk::of(&pair, &dead)
    {
        if let Some(rates) = rates
            && let Some(shrink) = shrunk.shrink(0.0)
        {
            told.shrink = Some((shrink, rates.to_vec()));
        }
        told.estimates.extend(never_seen::estimate(&pair, &shrunk, rates, largest_rate));
        told.rows = dead_rows::picture(&pair, &dead);
    }
    let is_decoupled = held(&pair).is_some_and(|held| !is_coupled(&held, declarations));
    if is_decoupled && let Some(rates) = rates {
        told.estimates.extend(unseen::estimate(&pair, rates));
    }
    let doubt = chosen.map_or(0.0, |chosen| chosen.doubt);
    for estimate in &mut told.estimates {
        estimate.declared_before = pair.declared_before;
        // λ̂ of a single step has its rate from the step itself.
        if estimate.method != Method::Consecutive
            && let Some(lambda) = &mut estimate.lambda
        {
            let off = doubt * lambda.value.abs();
            (lambda.low, lambda.high) = (lambda.low - off, lambda.high + off);
        }
    }
    if told.estimates.is_empty() {
        told.drift = drift::of(&pair, window.length());
    }
    told
}

/// Whether a λ̂ of 0 beside the gradient leaves open that decay is part of the gradient.
fn may_be_coupled(
    pair: &Pair<'_>,
    estimate: &TensorEstimate,
    declarations: &[Declaration],
) -> bool {
    let is_open = held(pair)
        .is_some_and(|held| is_decoupled(held.optimizer, held.group, declarations).is_none());
    let (Some(lambda), Some(declared)) = (estimate.lambda, pair.declared) else { return false };
    is_open && lambda.holds(0.0) && !lambda.holds(declared)
}

/// Where λ is the shrink at the peak rate and not its product with the rate, λ̂ is put that way.
fn in_terms_of_the_declaration(proof: &mut WindowProof, declarations: &[Declaration]) {
    let peak = declarations
        .iter()
        .find(|one| one.is_independent_of_rate)
        .and_then(|one| Some(one.rate?.value))
        .filter(|&peak| peak > 0.0);
    let Some(peak) = peak else { return };
    for lambda in proof.estimates.iter_mut().filter_map(|estimate| estimate.lambda.as_mut()) {
        *lambda = Estimate {
            value: lambda.value * peak,
            low: lambda.low * peak,
            high: lambda.high * peak,
        };
    }
}

/// Why a pair of checkpoints tells no λ, and what would: full sentences.
pub(crate) fn reasons(window: &Window<'_>, proof: &WindowProof) -> Vec<String> {
    let mut reasons = Vec::new();
    const CURE: &str = "Save a checkpoint one step after the other, with the optimizer's state.";
    if window.tensors.is_empty() {
        reasons.push(
            "The two files have no tensor in common, by name and shape: nothing can be compared."
                .to_owned(),
        );
        return reasons;
    }
    if proof.estimates.is_empty() {
        let held = || window.tensors.iter().filter_map(|pair| pair.held_after);
        let has_state = held().any(|held| held.state.is_some());
        // Plain SGD keeps nothing: its gradient is nowhere in a file.
        let keeps_nothing = !has_state
            && held().any(|held| held.group.betas.is_none() && held.group.momentum == Some(0.0));
        let cure = match keeps_nothing {
            true => {
                "SGD without momentum keeps no state that would tell the gradient from the \
                     decay: compare a step with zero gradients."
            }
            false => CURE,
        };
        // A second moment that is 0 shows that a row had no gradient.
        let rows = match held()
            .any(|held| held.state.is_some_and(|state| state.tensor("exp_avg_sq").is_some()))
        {
            true => "no row was without a gradient",
            false => "no row is known to have been without a gradient",
        };
        reasons.push(match window.length() {
            Some(0) => "λ cannot be told from these two files: both are of the same step.".to_owned(),
            Some(1) if !has_state => format!(
                "λ cannot be told from these two files: they lie one step apart, but the second one \
                 has no optimizer state. {cure}"
            ),
            // The refusals below say why.
            Some(1) => "λ cannot be told from these two files, though they lie one step apart."
                .to_owned(),
            Some(steps) => format!(
                "λ cannot be told from these two files: they lie {} steps apart, and {rows}. {cure}",
                count(steps)
            ),
            None => format!(
                "λ cannot be told from these two files: how many steps lie in between is not known, \
                 and {rows}. {cure}"
            ),
        });
    }
    for (clause, names) in proof.refusals.iter().take(MOST_REASONS) {
        reasons.push(match names.as_slice() {
            [name] => format!("λ of {name} cannot be told from the step: {clause}."),
            [name, rest @ ..] => format!(
                "λ of {name} and {} cannot be told from the step: {clause}.",
                wd_page::number::counted(rest.len() as u64, "other tensor")
            ),
            [] => continue,
        });
    }
    reasons
}

/// Reasons that are said; further ones are of single tensors.
const MOST_REASONS: usize = 6;
