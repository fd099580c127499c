//! Which of the known learning rates hold for a group over a window.

use wd_page::number::{count, short};

use super::scheduler::{ClosedForm, item, number};
use super::{Form, RateSource, Rates};
use crate::case::Subject;
use crate::checkpoint::Group;
use crate::dialect::Declaration;
use crate::estimate::pair::{Held, Window};

/// The rates of a group over a window, and where they are from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chosen {
    pub(crate) rates: Vec<f64>,
    pub(crate) source: RateSource,
    /// By which share Σ η may be off: a log may have the rate of the next step beside a step.
    pub(crate) doubt: f64,
}

/// The rates of a group over a window, from the first source that has all of them.
pub(crate) fn choose(
    window: &Window<'_>,
    held: Option<&Held<'_>>,
    given: Option<&Rates>,
    declarations: &[Declaration],
) -> Option<Chosen> {
    let (from, to) = window.steps?;
    let chosen = |rates: &Rates, scale: f64| {
        let window = rates.window(from, to)?;
        let rates: Vec<f64> = window.into_iter().map(|rate| scale * rate).collect();
        (rates.iter().sum::<f64>() > 0.0).then_some(rates)
    };
    let scale = held.map_or(1.0, scale_to_first_group);
    let mut series = Vec::new();
    series.extend(given.map(|rates| (rates.clone(), scale)));
    series.extend(logged(window).map(|rates| (rates, scale)));
    if let Some(held) = held {
        series.extend(scheduled(window.second, held, to).map(|rates| (rates, 1.0)));
        series.extend(declared(held, declarations, to).map(|rates| (rates, scale)));
        series.extend(unchanged(window, held).map(|rates| (rates, 1.0)));
    }
    series.iter().find_map(|(rates, scale)| {
        let source = rates.source();
        let rates_of_window = chosen(rates, *scale)?;
        let ends = rates.at(from).or_else(|| rates.at(from + 1)).zip(rates.at(to));
        let sum = rates_of_window.iter().sum::<f64>();
        let shift = ends.map_or(0.0, |(first, last)| scale * (first - last).abs() / sum);
        let doubt = if source == RateSource::Log { shift } else { 0.0 };
        Some(Chosen { rates: rates_of_window, source, doubt })
    })
}

/// One series of rates stands for the first group; others are the same multiple of it throughout.
fn scale_to_first_group(held: &Held<'_>) -> f64 {
    let peak = |group: &Group| group.initial_rate.or(group.rate);
    let first = held.optimizer.groups.first().and_then(peak);
    match (peak(held.group), first) {
        (Some(own), Some(first)) if first > 0.0 && own.is_finite() => own / first,
        _ => 1.0,
    }
}

/// The logs beside both checkpoints.
fn logged(window: &Window<'_>) -> Option<Rates> {
    let own = &window.second.checkpoint.rates;
    let earlier = if window.is_restarted { &[] } else { window.first.checkpoint.rates.as_slice() };
    // The later log repeats the earlier one in most runs; where both have a step the later one holds.
    let start = own.iter().map(|point| point.step).fold(f64::INFINITY, f64::min);
    let points = earlier.iter().filter(|point| point.step < start).chain(own).copied().collect();
    Rates::at_steps(points, RateSource::Log)
}

/// A scheduler that steps with the optimizer, or once in a whole number of its steps.
fn scheduled(subject: &Subject, held: &Held<'_>, step: u64) -> Option<Rates> {
    let schedulers = &subject.checkpoint.schedulers;
    let optimizers = &subject.checkpoint.optimizers;
    // With several schedulers, each belongs to the optimizer at its place.
    let at = optimizers.iter().position(|optimizer| std::ptr::eq(optimizer, held.optimizer))?;
    let scheduler = if schedulers.len() == 1 { schedulers.first() } else { schedulers.get(at) }?;
    let form = ClosedForm::of(scheduler, held.group_index)?;
    let (own, step) = (number(scheduler, "last_epoch")?, step as f64);
    let (scale, offset) = if (own - step).abs() <= 1.0 {
        (1.0, own - step)
    } else if own >= 1.0 && step > own && step % own == 0.0 {
        (step / own, 0.0)
    } else {
        return None;
    };
    let form = Form::Closed { form: Box::new(form), scale, offset };
    Some(Rates { form, source: RateSource::Scheduler })
}

/// A configuration's peak and schedule, unless the group's rate contradicts them.
fn declared(held: &Held<'_>, declarations: &[Declaration], step: u64) -> Option<Rates> {
    let (peak, schedule) =
        declarations.iter().find_map(|one| Some((one.rate?.value, one.schedule?)))?;
    let rates = Rates {
        form: Form::Scheduled { peak, schedule: Box::new(schedule) },
        source: RateSource::Configuration,
    };
    // Files save the rate of the step that they follow, or of the next one.
    let is_near = |step| {
        let (rate, saved) = (rates.at(step), held.group.rate);
        rate.zip(saved).is_some_and(|(rate, saved)| (rate - saved).abs() <= 1e-3 * saved.abs())
    };
    let is_first_group = scale_to_first_group(held) == 1.0;
    let agrees = held.group.rate.is_none() || is_near(step) || is_near(step + 1);
    (agrees || !is_first_group).then_some(rates)
}

/// The rate that both checkpoints' groups have, if it is the same and no schedule is saved that
/// could have moved it in between.
fn unchanged(window: &Window<'_>, held: &Held<'_>) -> Option<Rates> {
    let rate = held.group.rate.filter(|&rate| rate > 0.0)?;
    let at = |subject: &Subject| {
        let optimizers = &subject.checkpoint.optimizers;
        let group = optimizers.iter().find_map(|one| one.groups.get(held.group_index))?;
        group.rate
    };
    let is_flat = |subject: &Subject| {
        subject.checkpoint.schedulers.iter().all(|scheduler| {
            let base = item(scheduler, "base_lrs", held.group_index);
            base.is_none_or(|base| base == rate)
        })
    };
    // A checkpoint without an optimizer says nothing of its rate.
    let has_it = |subject| at(subject) == Some(rate);
    let is_same = !window.is_restarted && has_it(window.first) && has_it(window.second);
    let is_peak = held.group.initial_rate.is_none_or(|initial| initial == rate);
    let is_flat = is_flat(window.first) && is_flat(window.second);
    (is_same && is_peak && is_flat).then(|| Rates::constant(rate, RateSource::Groups))
}

/// Where the given rates are not those that a file holds for its own step: a clause.
pub(crate) fn contradiction(window: &Window<'_>, given: &Rates) -> Option<String> {
    let (from, to) = window.steps?;
    [(window.second, to), (window.first, from)].into_iter().find_map(|(subject, step)| {
        let group = subject.checkpoint.optimizers.first()?.groups.first()?;
        let saved = group.rate.filter(|&rate| rate > 0.0)?;
        // Files save the rate of the step that they follow, or of the next one.
        let known: Vec<f64> =
            [step, step + 1].into_iter().filter_map(|step| given.at(step)).collect();
        let nearest =
            known.iter().copied().min_by(|a, b| (a - saved).abs().total_cmp(&(b - saved).abs()))?;
        let is_far = (nearest - saved).abs() > 1e-2 * saved.abs();
        is_far.then(|| {
            format!(
                "these rates are not those of the files: {} holds {} for step {}, and the rates \
                 have {} there; give the rates of this run, or none",
                subject.checkpoint.path.display(),
                short(saved),
                count(step),
                short(nearest)
            )
        })
    })
}
