//! R03: the counts of steps in one checkpoint disagree.

use wd_page::number::amount;

use super::{Report, Rule};
use crate::case::{Case, Subject};
use crate::checkpoint::OptimizerState;
use crate::finding::{Place, Severity};

/// Steps that a loss scaler may skip, as a share of all.
const SKIPPED: f64 = 0.01;
/// The largest whole number of batches, samples or optimizers by which one clock may run faster.
const LARGEST_RATIO: f64 = 1e7;

pub(super) static RULE: Rule = Rule {
    id: "R03",
    name: "clocks-disagree",
    severity: Severity::Warning,
    finds: "The optimizer has made another number of steps than the trainer or the schedule \
        counts.",
    why: "The step of the optimizer corrects the bias of its moments, and that of the schedule \
        sets the rate and with it the decay. Where they differ, a part was not restored on resume: \
        the schedule began anew, or the optimizer did, and κ of the run is another than its length \
        says.",
    seen: "The step of the optimizer's states, global_step, iter_num and last_epoch of the \
        schedule differ by more than 1 %, and by no whole factor. This needs a saved optimizer and \
        one more clock.",
    mend: "Save and load all three together:\
        \n\n    state = {\"optimizer\": optimizer.state_dict(), \"scheduler\": \
        scheduler.state_dict(), \"step\": step}\
        \n\nAfter loading compare scheduler.last_epoch with the step of the optimizer.",
    no_fault: "Accumulation of gradients, schedules that count epochs or samples, and several \
        optimizers make clocks differ by a whole factor or by a sum, and a loss scaler skips a few \
        steps: none of these is reported.",
    cases: &["Automodel#3883"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let Some((name, clock, step)) = disagreement(subject) else { continue };
        let message = format!(
            "The optimizer has made {} steps, and `{name}` says {}.",
            amount(step),
            amount(clock)
        );
        let fix = "Restore optimizer, schedule and step together, from the same checkpoint.";
        report.add(Place::file(&subject.checkpoint.path), message, fix.to_owned(), Vec::new());
    }
}

/// A clock that disagrees with the optimizer, its count and the optimizer's.
fn disagreement(subject: &Subject) -> Option<(String, f64, f64)> {
    let optimizers = &subject.checkpoint.optimizers;
    let steps: Vec<f64> = optimizers.iter().filter_map(most_steps).collect();
    let most = steps.iter().copied().max_by(f64::total_cmp)?;
    let total: f64 = steps.iter().sum();
    let clocks = subject.checkpoint.clocks.iter().map(|one| (one.name.clone(), one.steps));
    let schedules = subject.checkpoint.schedulers.iter().filter_map(|one| {
        let count = super::evidence::setting(&one.settings, "last_epoch")?;
        Some(("scheduler.last_epoch".to_owned(), count))
    });
    let mut counted = clocks.chain(schedules).filter(|(name, _)| counts_steps(name));
    let found = counted.find(|(name, clock)| {
        let clock = *clock;
        let is_known = clock > 0.0 && most > 0.0 && clock.is_finite();
        // A schedule that is so far behind counts epochs, of one training or of its last part.
        let counts_epochs = name.ends_with("last_epoch") && 10.0 * clock <= most;
        is_known && !counts_epochs && !agree(clock, most) && !agree(clock, total)
    });
    found.map(|(name, clock)| (name, clock, most))
}

/// The largest count of steps among an optimizer's states.
fn most_steps(optimizer: &OptimizerState) -> Option<f64> {
    let steps = optimizer.states.iter().filter_map(|state| state.step);
    steps.filter(|step| step.is_finite()).max_by(f64::total_cmp)
}

/// Whether a clock counts steps, and not epochs, samples or the step of the best result.
fn counts_steps(name: &str) -> bool {
    let name = name.to_lowercase();
    let others = ["epoch", "sample", "token", "seen", "best", "max", "warmup", "batch"];
    name.ends_with("last_epoch") || !others.iter().any(|part| name.contains(part))
}

/// Whether two counts are one, but for skipped steps, or one is a whole multiple of the other.
fn agree(left: f64, right: f64) -> bool {
    let (less, more) = (left.min(right), left.max(right));
    let ratio = (more / less).round();
    // A multiple is exact up to the last unit of the slower clock.
    let is_multiple = (2.0..LARGEST_RATIO).contains(&ratio) && (more - ratio * less).abs() <= ratio;
    // Nearly every number is a multiple of a small one up to that.
    let is_multiple = is_multiple && (less > 2.0 * ratio || more % less == 0.0);
    more - less <= (SKIPPED * more).max(2.0) || is_multiple
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::checkpoint::Clock;
    use crate::rules::testing::*;

    fn with_clock(name: &str, steps: f64) -> Case {
        let mut subject = clean();
        subject.checkpoint.clocks = vec![Clock { name: name.to_owned(), steps }];
        one(subject)
    }

    pub(crate) fn fault() -> Case {
        with_clock("global_step", 1700.0)
    }

    /// Four batches are accumulated for each of the 1000 steps, and 3 batches are left over.
    pub(crate) fn look_alike() -> Case {
        with_clock("global_step", 4003.0)
    }

    #[test]
    fn skipped_steps_and_epochs_are_no_disagreement() {
        for case in [with_clock("iter_num", 1009.0), with_clock("epoch", 7.0)] {
            assert!(findings_of("R03", &case).is_empty());
        }
        let mut case = with_clock("global_step", 1000.0);
        case.subjects[0].checkpoint.schedulers = vec![crate::checkpoint::SchedulerState {
            settings: vec![("last_epoch".to_owned(), crate::checkpoint::Value::Integer(370))],
        }];
        let [finding] = &findings_of("R03", &case)[..] else { panic!("one finding") };
        assert_eq!(
            finding.message,
            "The optimizer has made 1,000 steps, and `scheduler.last_epoch` says 370."
        );
    }

    #[test]
    fn two_optimizers_add_up() {
        let mut case = with_clock("global_step", 1900.0);
        let mut second = case.subjects[0].checkpoint.optimizers[0].clone();
        second.states.iter_mut().for_each(|state| state.step = Some(900.0));
        case.subjects[0].checkpoint.optimizers.push(second);
        assert!(findings_of("R03", &case).is_empty());
    }
}
