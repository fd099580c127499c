//! From estimates to a verdict: the most exact one decides.

use wd_page::number::{short, significant};

use super::{Estimate, Method, TensorEstimate, Verdict};

/// The verdict, and sentences that say why it is no better.
pub(crate) fn judge(estimates: &[TensorEstimate]) -> (Verdict, Vec<String>) {
    if let Some((tensor, lambda)) = most_exact(estimates) {
        let (verdict, reasons) = of_lambda(tensor, lambda);
        // Where no decay stands beside the gradient, there may be one within.
        if let Verdict::AppliedAsDeclared { declared: 0.0, .. } = verdict
            && let Some((declared, estimate)) = undeclared_penalty(estimates)
        {
            let reason = "No decay stands beside the gradient: it is part of the gradient, as a \
                          penalty in the loss is.";
            let verdict = Verdict::AppliedOtherwise { declared: Some(declared), estimate };
            return (verdict, vec![reason.to_owned()]);
        }
        return (verdict, reasons);
    }
    let shrinks = estimates
        .iter()
        .filter(|tensor| may_decide(tensor))
        .filter_map(|tensor| tensor.shrink.map(|shrink| (tensor, shrink)));
    let best = shrinks.min_by(|(_, a), (_, b)| {
        let share = |x: &Estimate| half_width(x) / x.value.abs().max(f64::MIN_POSITIVE);
        share(a).total_cmp(&share(b))
    });
    match best {
        Some((tensor, shrink)) => of_shrink(tensor, shrink),
        None => (Verdict::CannotTell, Vec::new()),
    }
}

/// A penalty that the momentum of many rows without gradient shows, where λ = 0 is declared.
fn undeclared_penalty(estimates: &[TensorEstimate]) -> Option<(f64, Estimate)> {
    estimates.iter().filter(|tensor| tensor.shows_penalty()).find_map(|tensor| {
        let declared = tensor.declared.filter(|&declared| declared == 0.0)?;
        Some((declared, tensor.lambda?))
    })
}

/// B needs an assumption on the start, so it decides nothing by itself.
fn may_decide(tensor: &TensorEstimate) -> bool {
    tensor.method != Method::InitialSpread
}

/// The estimate whose interval is the shortest beside λ. Tensors that should decay come first: the
/// others cannot show that decay is applied.
fn most_exact(estimates: &[TensorEstimate]) -> Option<(&TensorEstimate, Estimate)> {
    let with_lambda = || {
        let decisive = estimates.iter().filter(|tensor| may_decide(tensor));
        decisive.filter_map(|tensor| tensor.lambda.map(|lambda| (tensor, lambda)))
    };
    let width = |(_, lambda): &(&TensorEstimate, Estimate)| half_width(lambda);
    let by_width = |a: &(&TensorEstimate, Estimate), b: &(&TensorEstimate, Estimate)| {
        width(a).total_cmp(&width(b))
    };
    let decays = |tensor: &TensorEstimate| tensor.declared.is_some_and(|declared| declared != 0.0);
    with_lambda()
        .filter(|(tensor, _)| decays(tensor))
        .min_by(by_width)
        .or_else(|| with_lambda().filter(|(tensor, _)| tensor.declared.is_none()).min_by(by_width))
        .or_else(|| with_lambda().min_by(by_width))
}

fn half_width(estimate: &Estimate) -> f64 {
    (estimate.high - estimate.low) / 2.0
}

fn of_lambda(tensor: &TensorEstimate, estimate: Estimate) -> (Verdict, Vec<String>) {
    let holds_zero = estimate.holds(0.0);
    let declared = tensor.nearest_declared();
    match declared {
        Some(declared) if estimate.holds(declared) && (declared == 0.0 || !holds_zero) => {
            (Verdict::AppliedAsDeclared { declared, estimate }, moved(tensor))
        }
        Some(declared) if holds_zero && estimate.holds(declared) => {
            let reason = format!(
                "The interval of λ, {}, holds both 0 and the declared {}: the learning rates are \
                 too small, or the elements too few, for these steps to show it. Checkpoints \
                 further apart, with rows that never had a gradient, would tell.",
                interval(&estimate),
                short(declared),
            );
            (Verdict::CannotTell, vec![reason])
        }
        // Of many tensors some miss by a little: that is no proof of another λ.
        Some(declared) if !estimate.excludes(declared) => {
            let reason = format!(
                "The interval of λ, {}, misses the declared {}, but by less than chance makes among \
                 many tensors. A second pair of checkpoints would tell.",
                interval(&estimate),
                short(declared),
            );
            (Verdict::CannotTell, vec![reason])
        }
        _ if holds_zero => (Verdict::NotApplied { declared, estimate }, Vec::new()),
        _ => (Verdict::AppliedOtherwise { declared, estimate }, Vec::new()),
    }
}

/// What the declared λ was before, where it moved.
fn moved(tensor: &TensorEstimate) -> Vec<String> {
    let (Some(before), Some(after)) = (tensor.declared_before, tensor.declared) else {
        return Vec::new();
    };
    vec![format!(
        "The first file declares λ = {}, the second {}: λ̂ lies between.",
        short(before),
        short(after)
    )]
}

fn of_shrink(tensor: &TensorEstimate, shrink: Estimate) -> (Verdict, Vec<String>) {
    if !shrink.holds(0.0) {
        let reason = "The weights shrank, but λ itself needs the learning rates of the steps in \
                      between: give them with `--rates`, as a JSON array with one rate a step.";
        return (Verdict::Applied { shrink }, vec![reason.to_owned()]);
    }
    match tensor.declared {
        Some(declared) if declared == 0.0 => {
            (Verdict::AppliedAsDeclared { declared, estimate: shrink }, Vec::new())
        }
        declared => (Verdict::NotApplied { declared, estimate: shrink }, Vec::new()),
    }
}

/// An interval as text.
fn interval(estimate: &Estimate) -> String {
    let text = |x: f64, digits| significant(x, digits).replace('-', "−");
    // As many digits as tell its ends apart.
    let is_told = |digits: &i32| text(estimate.low, *digits) != text(estimate.high, *digits);
    let digits = (3..10).find(is_told).unwrap_or(3);
    format!("{} to {}", text(estimate.low, digits), text(estimate.high, digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(declared: Option<f64>, lambda: (f64, f64)) -> TensorEstimate {
        TensorEstimate {
            tensor: "w".to_owned(),
            method: Method::Consecutive,
            lambda: Some(Estimate {
                value: (lambda.0 + lambda.1) / 2.0,
                low: lambda.0,
                high: lambda.1,
            }),
            shrink: None,
            rate: None,
            declared,
            rows: 1,
            elements: 1,
            declared_before: None,
            remark: None,
        }
    }

    #[test]
    fn an_interval_decides_by_what_it_holds() {
        let verdict = |declared, lambda| judge(&[tensor(declared, lambda)]).0;
        assert!(matches!(verdict(Some(0.1), (0.09, 0.11)), Verdict::AppliedAsDeclared { .. }));
        assert!(matches!(verdict(Some(0.0), (-0.01, 0.01)), Verdict::AppliedAsDeclared { .. }));
        assert!(matches!(verdict(Some(0.1), (-0.01, 0.01)), Verdict::NotApplied { .. }));
        assert!(matches!(verdict(None, (-0.01, 0.01)), Verdict::NotApplied { .. }));
        assert!(matches!(verdict(Some(0.1), (0.19, 0.21)), Verdict::AppliedOtherwise { .. }));
        assert!(matches!(verdict(Some(0.0), (0.19, 0.21)), Verdict::AppliedOtherwise { .. }));
        assert!(matches!(verdict(Some(0.1), (-0.2, 0.3)), Verdict::CannotTell));
        assert_eq!(judge(&[]).0, Verdict::CannotTell);
    }

    #[test]
    fn a_penalty_in_the_gradient_is_not_called_no_decay() {
        let mut penalty = tensor(Some(0.0), (0.099, 0.101));
        (penalty.method, penalty.rows) = (Method::CoupledMomentum, 40);
        let estimates = [tensor(Some(0.0), (-1e-4, 1e-4)), penalty];
        let (verdict, reasons) = judge(&estimates);
        assert!(matches!(verdict, Verdict::AppliedOtherwise { declared: Some(0.0), .. }));
        assert_eq!(reasons.len(), 1);
    }

    #[test]
    fn the_most_exact_tensor_that_should_decay_decides() {
        let estimates = [
            tensor(Some(0.0), (-1e-9, 1e-9)),
            tensor(Some(0.1), (-0.5, 0.5)),
            tensor(Some(0.1), (0.199, 0.201)),
        ];
        let Verdict::AppliedOtherwise { declared, estimate } = judge(&estimates).0 else {
            panic!()
        };
        assert_eq!((declared, estimate.low), (Some(0.1), 0.199));
    }

    #[test]
    fn a_shrink_without_rates_shows_that_decay_acted() {
        let mut estimate = tensor(Some(0.1), (0.0, 0.0));
        estimate.lambda = None;
        estimate.shrink = Some(Estimate::new(0.006, 1e-6, 0.0));
        let (verdict, reasons) = judge(&[estimate.clone()]);
        assert!(matches!(verdict, Verdict::Applied { .. }) && reasons.len() == 1);
        estimate.shrink = Some(Estimate::new(0.0, 0.0, 0.0));
        assert!(matches!(judge(&[estimate]).0, Verdict::NotApplied { .. }));
    }
}
