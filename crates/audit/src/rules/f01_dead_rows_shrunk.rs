//! F01: rows that never had a gradient have shrunk.

use wd_page::number::{count, percent, short};

use super::evidence::{is_declared_tied, tied};
use super::words::{agree, listed};
use super::{Report, Rule};
use crate::case::Case;
use crate::estimate::{Estimate, Method, TensorEstimate};
use crate::finding::{Place, Severity};

/// Share of a row that has to be gone before it is worth a warning: the same as in `wd explain`.
const LOSS: f64 = 0.1;

pub(super) static RULE: Rule = Rule {
    id: "F01",
    name: "dead-rows-shrunk",
    severity: Severity::Warning,
    finds: "Rows of an embedding that never had a gradient have shrunk towards 0.",
    why: "A token that the training never saw has no gradient, and decay alone acts on its row: \
        after κ = Σ ηλ it is e^−κ of its start. A fine-tuning that uses the token for the first \
        time meets a row that is nearly 0, next to rows of ordinary size.",
    seen: "Rows whose second moment is 0, or whose elements all changed by one factor, are smaller \
        than they were: against the earlier checkpoint, or against the spread that the model \
        starts with. This needs the weights, and the optimizer or the initial spread.",
    mend: "Spare the embedding, if it is not tied to the head:\
        \n\n    {\"params\": [model.embed_tokens.weight], \"weight_decay\": 0.0}\
        \n\nBefore a fine-tuning on such tokens set their rows to the mean of the others.",
    no_fault: "Rows of an embedding that is tied to the head all have a gradient, and are not \
        reported; neither are rows that lost less than a tenth.",
    cases: &["gpt-oss#1", "diffusers#1176", "diffusers#1009"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    let Some(subject) = case.subjects.last() else { return };
    if tied(subject).is_some() || is_declared_tied(subject) {
        return;
    }
    let shrunk: Vec<(&TensorEstimate, Estimate)> = case
        .proof
        .estimates
        .iter()
        .filter(|one| matches!(one.method, Method::InitialSpread | Method::NeverSeen))
        .filter_map(|one| Some((one, one.shrink?)))
        .filter(|(_, kappa)| kappa.low > 0.0 && 1.0 - (-kappa.value).exp() >= LOSS)
        .collect();
    let largest = shrunk.iter().max_by(|(_, left), (_, right)| left.value.total_cmp(&right.value));
    let Some(&(estimate, kappa)) = largest else { return };
    let since = match estimate.method {
        Method::InitialSpread => "since the start",
        _ => "between the two checkpoints",
    };
    let names: Vec<String> = shrunk.iter().map(|(one, _)| one.tensor.clone()).collect();
    let message = format!(
        "{} {} of `{}` without any gradient lost {} of their size {since} (κ̂ = {} [{}, {}]).",
        count(estimate.rows as u64),
        if estimate.rows == 1 { "row" } else { "rows" },
        estimate.tensor,
        percent(1.0 - (-kappa.value).exp()),
        short(kappa.value),
        short(kappa.low),
        short(kappa.high)
    );
    let fix = format!(
        "Spare {} from decay, unless {} tied to the head.",
        listed(&names),
        agree(&names, "it is", "they are")
    );
    report.add(Place::file(&subject.checkpoint.path), message, fix, names);
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::estimate::{Estimate, Method};
    use crate::rules::testing::*;

    fn spread(kappa: f64) -> Case {
        let mut case = one(clean());
        let mut found = estimate("wte.weight", Method::InitialSpread, 0.1, 0.01);
        found.lambda = None;
        let (low, high) = (kappa - 0.0156, kappa + 0.0156);
        found.shrink = Some(Estimate { value: kappa, low, high });
        case.proof.estimates = vec![found];
        case
    }

    pub(crate) fn fault() -> Case {
        spread(0.4875)
    }

    /// Rows that lost next to nothing.
    pub(crate) fn look_alike() -> Case {
        spread(0.02)
    }

    #[test]
    fn the_message_has_the_loss_and_the_interval() {
        let [finding] = &findings_of("F01", &fault())[..] else { panic!("one finding") };
        // 1 − e^−0.4875 = 0.386.
        assert_eq!(
            finding.message,
            "32 rows of `wte.weight` without any gradient lost 39 % of their size since the start \
             (κ̂ = 0.4875 [0.4719, 0.5031])."
        );
    }
}
