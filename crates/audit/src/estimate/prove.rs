//! From checkpoints to what they prove.

use super::pair::Window;
use super::rates::{RateSource, Rates, contradiction};
use super::rule_fit::{self, WindowShrink};
use super::window::{self, WindowProof};
use super::{Method, Proof, Verdict, changes, residual_names, single, verdict};
use crate::case::Subject;
use crate::dialect::Declaration;

/// Proves what weight decay was applied, as far as the files tell.
///
/// Subjects are checkpoints of one run in the order in which they were saved. Rates are those that
/// the user names; where they are not given, logs, schedulers and configurations are asked. Where
/// two subjects are one step apart, parameters that had no names get those that the step tells.
pub fn prove(
    subjects: &mut [Subject],
    rates: Option<&Rates>,
    declarations: &[Declaration],
) -> Proof {
    for at in 1..subjects.len() {
        let (earlier, later) = subjects.split_at_mut(at);
        if let ([.., first], [second, ..]) = (earlier, later)
            && step_between(first, second) == Some(1.0)
        {
            residual_names::name(first, second);
        }
    }
    let mut proof = Proof {
        files: subjects.iter().map(|subject| subject.checkpoint.path.clone()).collect(),
        ..Proof::default()
    };
    let above = changes::rate_above_peak(subjects, declarations);
    match subjects {
        [] => {}
        [subject] => {
            proof.files.clear();
            one(subject, rates, declarations, &mut proof);
        }
        _ => several(subjects, rates, declarations, &mut proof),
    }
    append_new(&mut proof.reasons, above.into_iter().collect());
    proof
}

/// Where rates that a user gives are not those that the files hold for their own steps: a clause.
pub fn contradicted(subjects: &[Subject], rates: &Rates) -> Option<String> {
    subjects.windows(2).find_map(|pair| {
        let [first, second] = pair else { return None };
        contradiction(&Window::of(first, second), rates)
    })
}

fn step_between(first: &Subject, second: &Subject) -> Option<f64> {
    Some(second.checkpoint.step()? - first.checkpoint.step()?)
}

/// The configurations of a subject, or those given.
fn declared<'a>(subject: &'a Subject, given: &'a [Declaration]) -> &'a [Declaration] {
    if given.is_empty() { &subject.declarations } else { given }
}

fn one(subject: &Subject, rates: Option<&Rates>, declarations: &[Declaration], proof: &mut Proof) {
    let told = single::prove(subject, rates, declared(subject, declarations));
    proof.estimates = told.estimates;
    proof.balances = told.balances;
    let (verdict, reasons) = verdict::judge(&proof.estimates);
    proof.verdict = verdict;
    proof.reasons = reasons;
    if proof.verdict == Verdict::CannotTell {
        proof.reasons.insert(
            0,
            "One checkpoint tells what λ was declared, not what was applied: norms depend on the \
             gradient as much as on λ. Give a second checkpoint of the same run with `--against`; \
             one that is a single step later, with the optimizer's state, tells λ of every tensor."
                .to_owned(),
        );
    }
}

fn several(
    subjects: &[Subject],
    rates: Option<&Rates>,
    declarations: &[Declaration],
    proof: &mut Proof,
) {
    let mut windows = Vec::new();
    for pair in subjects.windows(2) {
        let [first, second] = pair else { continue };
        let window = Window::of(first, second);
        let told = window::prove(&window, rates, declared(second, declarations));
        windows.push((window, told));
    }
    // Steps and Σ η of the whole, where every part is known.
    let whole = windows.iter().map(|(window, _)| window.length());
    proof.steps = whole.sum::<Option<u64>>().map(|steps| steps as f64);
    let sums =
        windows.iter().map(|(_, told)| Some(told.chosen.as_ref()?.rates.iter().sum::<f64>()));
    proof.rate_sum = sums.sum();
    proof.rules = rules(&windows);
    // A penalty in the gradient shows in the state alone, also where there are two files.
    let mut coupled = Vec::new();
    if let Some(last) = subjects.last() {
        let told = single::prove(last, rates, declared(last, declarations));
        proof.balances = told.balances;
        coupled
            .extend(told.estimates.into_iter().filter(|one| one.method == Method::CoupledMomentum));
    }
    for (window, told) in &windows {
        proof.estimates.extend(told.estimates.iter().cloned());
        proof.drifts.extend(told.drifts.iter().cloned());
        proof.rows.extend(told.rows.iter().cloned());
        let tells_nothing = told.estimates.iter().all(|estimate| estimate.lambda.is_none());
        if tells_nothing && coupled.is_empty() {
            append_new(&mut proof.reasons, window::reasons(window, told));
        }
    }
    proof.estimates.extend(coupled);
    let (verdict, reasons) = verdict::judge(&proof.estimates);
    proof.verdict = verdict;
    append_new(&mut proof.reasons, reasons);
    append_new(&mut proof.reasons, remarks(&windows, &proof.verdict));
    append_new(&mut proof.reasons, changes::between(subjects));
}

fn append_new(reasons: &mut Vec<String>, more: Vec<String>) {
    for reason in more {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
}

/// R, on the tensor whose shrinks are the most exact.
fn rules(windows: &[(Window<'_>, WindowProof)]) -> Vec<super::RuleFit> {
    let Some((_, first)) = windows.first() else { return Vec::new() };
    let mut best: Option<(f64, Vec<WindowShrink>)> = None;
    for name in first.shrinks.keys() {
        let told: Option<Vec<_>> = windows.iter().map(|(_, told)| told.shrinks.get(name)).collect();
        let Some(told) = told else { continue };
        let width = told
            .iter()
            .map(|(shrink, _)| (shrink.high - shrink.low) / shrink.value.abs())
            .fold(0.0, f64::max);
        if width.is_finite() && best.as_ref().is_none_or(|(least, _)| width < *least) {
            let windows = told
                .into_iter()
                .map(|(shrink, rates)| WindowShrink { shrink: shrink.value, rates: rates.clone() });
            best = Some((width, windows.collect()));
        }
    }
    best.map(|(_, windows)| rule_fit::fit(&windows)).unwrap_or_default()
}

/// What a reader must know of the premises of a verdict.
fn remarks(windows: &[(Window<'_>, WindowProof)], verdict: &Verdict) -> Vec<String> {
    let mut remarks = Vec::new();
    let is_constant = windows.iter().any(|(_, told)| {
        told.chosen.as_ref().is_some_and(|chosen| chosen.source == RateSource::Groups)
    });
    if is_constant {
        remarks.push(
            "The learning rate is taken as constant between the files, since both have the same."
                .to_owned(),
        );
    }
    if windows.iter().any(|(window, _)| window.is_restarted) {
        remarks.push(
            "The second file's optimizer has counted fewer steps than the first one's: it was \
             started anew, and its own count is taken as the steps in between."
                .to_owned(),
        );
    }
    if windows.iter().any(|(window, _)| !window.is_one_run) {
        remarks.push(
            "The optimizers of the two files started from different learning rates, so their counts \
             of steps are not one count: the number of steps in between is not known. Files are \
             compared in the order in which they are given."
                .to_owned(),
        );
    }
    let may_be_coupled = || {
        windows.iter().flat_map(|(window, _)| &window.tensors).any(|pair| {
            let unknown = |held: super::pair::Held<'_>| {
                held.group.decoupled.is_none() && held.optimizer.name.is_none()
            };
            pair.declared.is_some_and(|lambda| lambda > 0.0) && pair.held_after.is_some_and(unknown)
        })
    };
    let is_nothing = matches!(verdict, Verdict::NotApplied { declared: Some(_), .. });
    if is_nothing && may_be_coupled() {
        remarks.push(
            "The file does not say whether the optimizer decouples decay. If it adds λw to the \
             gradient, as Adam with an L2 penalty does, λ is inside the update, where the weights \
             do not show it."
                .to_owned(),
        );
    }
    remarks
}
