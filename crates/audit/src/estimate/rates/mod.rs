//! The learning rates η_j of a window of steps.
//!
//! | from | how |
//! |---|---|
//! | a file that the user names | every step, or some of them |
//! | a log beside the checkpoint | linear between logged steps |
//! | a saved scheduler | its closed form, if that gives the rate it saved itself |
//! | a configuration | its peak and schedule, if they give the rate that the group saved |
//! | the groups of both checkpoints | constant, if both have the same rate |

mod choice;
mod file;
mod scheduler;

pub(crate) use choice::{Chosen, choose, contradiction};

use serde::Serialize;
use strum::{Display, IntoStaticStr};
use wd_decay::Schedule;

use self::scheduler::ClosedForm;
use crate::checkpoint::LoggedRate;

/// Where learning rates are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Display, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
pub enum RateSource {
    /// A file that the user named.
    #[strum(serialize = "the file of learning rates")]
    File,
    /// A log of the trainer.
    #[strum(serialize = "the trainer's log")]
    Log,
    /// The state of a scheduler.
    #[strum(serialize = "the closed form of the saved scheduler")]
    Scheduler,
    /// A configuration.
    #[strum(serialize = "the schedule of the configuration")]
    Configuration,
    /// The rates of both checkpoints' groups, which are the same.
    #[strum(serialize = "the rate in both checkpoints' groups, which is the same")]
    Groups,
    /// The step itself.
    #[strum(serialize = "the change of the weights over the step")]
    Fitted,
}

/// Learning rates by step. Step 1 is the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    form: Form,
    source: RateSource,
}

#[derive(Debug, Clone, PartialEq)]
enum Form {
    /// Rates at rising steps, linear in between.
    Points(Vec<LoggedRate>),
    /// A scheduler; `scale` steps of the optimizer are one of its own, which is `offset` ahead.
    Closed { form: Box<ClosedForm>, scale: f64, offset: f64 },
    /// A peak and its schedule.
    Scheduled { peak: f64, schedule: Box<Schedule> },
    /// The same at every step.
    Constant(f64),
}

/// Steps of the longest window whose rates are written out: 32 MB.
const LONGEST: u64 = 4_000_000;

impl Rates {
    /// Rates at some steps, linear in between. Nothing if a number is not finite or negative, or a
    /// step has two rates.
    pub fn at_steps(mut points: Vec<LoggedRate>, source: RateSource) -> Option<Self> {
        let is_rate = |point: &LoggedRate| {
            (0.0..9e15).contains(&point.step) && (0.0..f64::INFINITY).contains(&point.rate)
        };
        if points.is_empty() || !points.iter().all(is_rate) {
            return None;
        }
        points.sort_by(|a, b| a.step.total_cmp(&b.step));
        points.dedup();
        let rises = points.windows(2).all(|pair| pair[0].step < pair[1].step);
        rises.then_some(Rates { form: Form::Points(points), source })
    }

    /// The same rate at every step.
    pub fn constant(rate: f64, source: RateSource) -> Self {
        Rates { form: Form::Constant(rate), source }
    }

    /// Where they are from.
    pub fn source(&self) -> RateSource {
        self.source
    }

    /// The rates of the steps `from + 1 … to`. Nothing if some are not known, or the steps are too
    /// many.
    pub fn window(&self, from: u64, to: u64) -> Option<Vec<f64>> {
        if to <= from || to - from > LONGEST {
            return None;
        }
        match &self.form {
            Form::Points(points) => between(points, from, to),
            _ => (from + 1..=to).map(|step| self.at(step)).collect(),
        }
    }

    /// The rate of one step, where it has a form.
    fn at(&self, step: u64) -> Option<f64> {
        let rate = match &self.form {
            Form::Points(points) => return between(points, step.checked_sub(1)?, step)?.pop(),
            Form::Closed { form, scale, offset } => {
                form.at(((step as f64 - 1.0) / scale).floor() + offset)
            }
            Form::Scheduled { peak, schedule } => peak * schedule.factor(step.checked_sub(1)?),
            Form::Constant(rate) => *rate,
        };
        (rate.is_finite() && rate >= 0.0).then_some(rate)
    }
}

/// Linear between points. Beyond the ends no further than the spacing there, since logs begin after
/// a first interval and end before a last one.
fn between(points: &[LoggedRate], from: u64, to: u64) -> Option<Vec<f64>> {
    let (first, last) = (points.first()?, points.last()?);
    let start = from as f64 + 1.0;
    let spacing = |pair: &[LoggedRate]| pair[1].step - pair[0].step;
    let before = points.windows(2).next().map_or(0.0, spacing);
    let after = points.windows(2).next_back().map_or(0.0, spacing);
    // Rates of every step are complete: nothing is guessed beyond them.
    let reach = |spacing: f64| if spacing > 1.0 { spacing } else { 0.0 };
    if start < first.step - reach(before) || to as f64 > last.step + reach(after) {
        return None;
    }
    let last_segment = points.len().saturating_sub(2);
    let segment = points.partition_point(|point| point.step <= start).saturating_sub(1);
    let mut segment = segment.min(last_segment);
    let mut rates = Vec::with_capacity((to - from) as usize);
    for step in from + 1..=to {
        let step = step as f64;
        while segment < last_segment && points[segment + 1].step <= step {
            segment += 1;
        }
        let left = points[segment];
        let rate = match points.get(segment + 1) {
            Some(right) => {
                let share = (step - left.step) / (right.step - left.step);
                left.rate + share * (right.rate - left.rate)
            }
            None => left.rate,
        };
        rates.push(rate.max(0.0));
    }
    Some(rates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(pairs: &[(f64, f64)]) -> Vec<LoggedRate> {
        pairs.iter().map(|&(step, rate)| LoggedRate { step, rate }).collect()
    }

    #[test]
    fn logged_rates_are_linear_in_between() {
        let log = points(&[(30.0, 1e-3), (10.0, 3e-3), (20.0, 2e-3)]);
        let rates = Rates::at_steps(log, RateSource::Log).unwrap();
        let window = rates.window(9, 30).unwrap();
        assert_eq!(window.len(), 21);
        for (step, rate) in (10..=30).zip(&window) {
            assert!((rate - (4e-3 - 1e-4 * f64::from(step))).abs() < 1e-15);
        }
        // A step beyond by no more than the spacing, and not one further.
        assert!((rates.window(30, 31).unwrap()[0] - 9e-4).abs() < 1e-15);
        assert!(rates.window(30, 41).is_none() && rates.window(40, 41).is_none());
        assert!(rates.window(5, 5).is_none() && rates.window(6, 5).is_none());
    }

    #[test]
    fn a_trapezium_log_every_hundredth_of_a_cosine_sums_to_a_thousandth() {
        let schedule = Schedule::new(wd_decay::ScheduleKind::Cosine, 0, 3000, 0.1, 0).unwrap();
        let all = Rates {
            form: Form::Scheduled { peak: 1e-3, schedule: Box::new(schedule) },
            source: RateSource::Configuration,
        };
        let log = (1..=100)
            .map(|at| 30 * at)
            .map(|step| LoggedRate { step: step as f64, rate: all.at(step).unwrap() });
        let logged = Rates::at_steps(log.collect(), RateSource::Log).unwrap();
        let sum = |rates: &Rates| rates.window(0, 3000).unwrap().iter().sum::<f64>();
        assert!((sum(&logged) / sum(&all) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn rates_that_cannot_be_are_refused() {
        let refused = [
            points(&[]),
            points(&[(1.0, f64::NAN)]),
            points(&[(1.0, -1e-3)]),
            points(&[(1.0, 1e-3), (1.0, 2e-3)]),
            points(&[(f64::INFINITY, 1e-3)]),
        ];
        for log in refused {
            assert!(Rates::at_steps(log, RateSource::Log).is_none());
        }
        let constant = Rates::constant(1e-3, RateSource::Groups);
        assert!(constant.window(0, u64::MAX).is_none());
    }
}
