//! D08: the schedule of λ is at one value and the groups hold another.

use std::f64::consts::PI;

use wd_page::number::short;

use super::evidence::{groups, is_same, setting};
use super::{Report, Rule};
use crate::case::{Case, Subject};
use crate::checkpoint::{SchedulerState, Value};
use crate::finding::{Place, Severity};

pub(super) static RULE: Rule = Rule {
    id: "D08",
    name: "stale-schedule",
    severity: Severity::Error,
    finds: "The schedule of the weight decay stands at one value, and the groups of the optimizer \
        hold another.",
    why: "Megatron lets λ rise over the run. After a resume the groups can keep a λ from another \
        time, of the checkpoint or of the command line, while the schedule believes that it has \
        set it. The run then decays otherwise than its schedule says: for one step where the \
        schedule sets λ after each, and for good where nothing does.",
    seen: "The saved schedule (start_wd, end_wd, wd_incr_style, wd_incr_steps, num_steps) gives λ \
        at the step of the checkpoint, and no group has it, its wd_mult considered. Where the next \
        step mends it, only a checkpoint saved right after the resume shows it. This needs a saved \
        schedule and a saved optimizer.",
    mend: "Set λ from the schedule after the optimizer was loaded, and before the first step:\
        \n\n    scheduler.load_state_dict(state[\"opt_param_scheduler\"])\
        \n    scheduler.step(increment=0)\
        \n\nCheck that the flags which override a checkpoint's schedule are those you mean.",
    no_fault: "One step after a resume the two may be a step apart: that much is allowed, counted \
        in samples where the schedule counts samples. A λ that is constant has no schedule.",
    cases: &["Megatron-LM#7468", "Automodel#3882", "Automodel#3883"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let stale = subject.checkpoint.schedulers.iter().find_map(|one| stale(subject, one));
        let Some((wanted, held, position)) = stale else { continue };
        let message = format!(
            "The schedule of λ stands at {} (`num_steps` = {}), and the groups of the optimizer \
             hold {}.",
            short(wanted),
            short(position),
            short(held)
        );
        let fix = "Let the schedule set λ once after loading, before the first step.".to_owned();
        report.add(Place::file(&subject.checkpoint.path), message, fix, Vec::new());
    }
}

/// λ of the schedule and of the groups, where they differ, and the position of the schedule.
fn stale(subject: &Subject, scheduler: &SchedulerState) -> Option<(f64, f64, f64)> {
    let position = setting(&scheduler.settings, "num_steps")?;
    let wanted = scheduled(scheduler, position)?;
    // A schedule that counts samples moves by a batch in each step.
    let step = subject.checkpoint.step().filter(|&step| step > 0.0);
    let stride = step.map_or(1.0, |step| (position / step).max(1.0));
    let before = scheduled(scheduler, position - stride)?;
    let after = scheduled(scheduler, position + stride)?;
    let (low, high) = (before.min(after).min(wanted), before.max(after).max(wanted));
    let held: Vec<f64> = groups(subject)
        .filter_map(|(_, group)| {
            let factor = setting(&group.settings, "wd_mult").unwrap_or(1.0);
            let lambda = group.lambda?;
            (factor > 0.0).then_some(lambda / factor)
        })
        .collect();
    let agrees = |lambda: f64| {
        (low <= lambda && lambda <= high) || is_same(lambda, low) || is_same(lambda, high)
    };
    // Groups that are spared have λ = 0 under whichever schedule.
    let largest = held.iter().copied().max_by(f64::total_cmp)?;
    (!held.iter().any(|&lambda| agrees(lambda))).then_some((wanted, largest, position))
}

/// λ of Megatron's schedule at a position.
fn scheduled(scheduler: &SchedulerState, position: f64) -> Option<f64> {
    let number = |key| setting(&scheduler.settings, key);
    let (start, end) = (number("start_wd")?, number("end_wd")?);
    let style = scheduler.settings.iter().find(|(key, _)| key == "wd_incr_style");
    let length = number("wd_incr_steps").filter(|&steps| steps > 0.0);
    let progress = length.map_or(1.0, |steps| (position / steps).clamp(0.0, 1.0));
    let rise = match style.and_then(|(_, value): &(String, Value)| value.text())? {
        "constant" => 1.0,
        "linear" => progress,
        "cosine" => 0.5 * (1.0 + (PI * (1.0 - progress)).cos()),
        _ => return None,
    };
    Some(start + rise * (end - start))
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::checkpoint::{SchedulerState, Value};
    use crate::rules::testing::*;

    fn rising(style: &str, position: i64) -> SchedulerState {
        let settings = vec![
            ("start_wd".to_owned(), Value::Number(0.01)),
            ("end_wd".to_owned(), Value::Number(0.1)),
            ("wd_incr_style".to_owned(), Value::Text(style.to_owned())),
            ("wd_incr_steps".to_owned(), Value::Integer(100_000)),
            ("num_steps".to_owned(), Value::Integer(position)),
        ];
        SchedulerState { settings }
    }

    /// Halfway λ should be 0.055; the groups hold the end's.
    pub(crate) fn fault() -> Case {
        let mut subject = clean();
        subject.checkpoint.schedulers = vec![rising("linear", 50_000)];
        one(subject)
    }

    /// The groups are one step behind, 50 samples of a schedule that counts samples.
    pub(crate) fn look_alike() -> Case {
        let mut case = fault();
        set_lambda(&mut case.subjects[0], 0, 0.01 + 0.09 * 0.4995);
        case
    }

    #[test]
    fn a_cosine_is_followed() {
        let mut subject = clean();
        subject.checkpoint.schedulers = vec![rising("cosine", 25_000)];
        set_lambda(&mut subject, 0, 0.01 + 0.09 * 0.146_446_609);
        assert!(findings_of("D08", &one(subject)).is_empty());
    }
}
