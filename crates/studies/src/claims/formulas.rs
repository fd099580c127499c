//! Claims that are formulas, or that a look-up answers: 1, 3, 5, 9, 11 and 30, and a part of 12 and
//! 13. What is said of them is what the library computes.

use wd_advise::Recipe;
use wd_advise::recipes::all;
use wd_conventions::explanation::PriorInterpretation;
use wd_conventions::{ConventionError, Explanation, Fidelity, Setting, convert};
use wd_page::number::{self, short};

use super::factorised::Factorised;
use super::row::{Finding, Verdict};
use crate::StudyError;

/// The post's setting: a mean loss over N data points and the penalty beside it.
const PENALTY: [&str; 5] = ["torch.SGD", "weight_decay=1e-4", "lr=0.1", "data=50000", "loss=nll"];

fn explained(words: &[&str]) -> Result<Explanation, ConventionError> {
    Setting::read(words)?.explain()
}

/// Claim 1: what is added to the loss.
pub(super) fn objective() -> Result<Finding, StudyError> {
    let explanation = explained(&PENALTY)?;
    let line = |wanted: &str| match &explanation.prior {
        PriorInterpretation::Prior { derivation, .. } => {
            derivation.iter().find(|line| line.contains(wanted)).cloned().unwrap_or_default()
        }
        _ => String::new(),
    };
    Ok(Finding::definition(format!(
        "Two slips: the norm has to be squared, and a mean over n has n terms, not n + 1. In the \
         library's words: {}.",
        line("is the penalty")
    )))
}

/// Claim 5: the loss is the likelihood.
pub(super) fn likelihood() -> Result<Finding, StudyError> {
    let explanation = explained(&PENALTY)?;
    let derivation = match &explanation.prior {
        PriorInterpretation::Prior { derivation, .. } => derivation.join("; "),
        other => format!("{other:?}"),
    };
    Ok(Finding::definition(format!(
        "So it is, for a loss that is a negative log likelihood: {derivation}."
    )))
}

/// Claim 9: the formula of the prior.
pub(super) fn prior_formula() -> Result<Finding, StudyError> {
    let explanation = explained(&PENALTY)?;
    let PriorInterpretation::Prior { prior, .. } = &explanation.prior else {
        return Ok(Finding::missing("the library sees no prior in this setting", "`wd explain`"));
    };
    Ok(Finding::definition(format!(
        "The norm has to be squared: exp(−‖θ‖²/2σ²). Without the square it is another prior, of \
         heavier tails and with a kink at 0. λ = 1e-4 beside a mean over 50,000 is exp(−‖θ‖²/2σ²) \
         with σ = {}, 1/σ² = {} = λN.",
        short(number::rounded(prior.standard_deviation)),
        short(number::rounded(prior.precision()))
    )))
}

/// Claim 3: language models use an even larger λ.
pub(super) fn larger_in_language_models() -> Finding {
    let found = |name: &str| all().find(|recipe| recipe.name == name);
    let (Some(resnet), Some(llama)) = (found("ResNet-50 (SGD, coupled L2)"), found("LLaMA-1 7B"))
    else {
        return Finding::missing("a recipe has left the table", "wd advise --recipes");
    };
    let told = |recipe: &Recipe| {
        format!("{} writes λ = {}", recipe.name, short(recipe.lambda))
            + &format!(" and takes {} off at the peak", short(number::rounded(recipe.shrink())))
    };
    Finding::new(
        Verdict::decided(llama.shrink() > resnet.shrink(), llama.shrink() < resnet.shrink()),
        format!(
            "What is larger is the number, by the convention of its optimizer: {}; {}. A step of \
             the language model takes {} times as much off a weight as a step of the ResNet.",
            told(resnet),
            told(llama),
            short(number::rounded(llama.shrink() / resnet.shrink()))
        ),
    )
}

/// Claim 11: AdamW goes without mention.
pub(super) fn adamw(runs: &[Factorised]) -> Result<Finding, StudyError> {
    let prior = Setting::read(&["prior.Gaussian", "std=1", "data=50000"])?;
    let conversion = convert(&prior, &"torch.AdamW".parse()?)?;
    let is_impossible = conversion.fidelity == Fidelity::Impossible;
    let values = |run: &Factorised| {
        let written: Vec<String> =
            run.singular_values.iter().map(|value| number::fixed(*value, 4)).collect();
        format!("({})", written.join(" "))
    };
    let coupled: Vec<String> = runs
        .iter()
        .filter(|run| run.optimizer.starts_with("SGD"))
        .map(|run| format!("λ = {}: {}", short(run.lambda), values(run)))
        .collect();
    let worst = |wanted: &str, of: fn(&Factorised) -> f64| {
        runs.iter().filter(|run| run.optimizer.starts_with(wanted)).map(of).fold(0.0, f64::max)
    };
    let (sgd, adam) =
        (worst("SGD", Factorised::off_threshold), worst("AdamW", Factorised::off_target));
    let decoupled: Vec<String> = runs
        .iter()
        .filter(|run| !run.optimizer.starts_with("SGD"))
        .map(|run| format!("AdamW with λ = {} leaves {}", short(run.lambda), values(run)))
        .collect();
    Ok(Finding::new(
        Verdict::decided(!is_impossible, is_impossible && sgd < 1e-3 && adam < 1e-3),
        format!(
            "No λ of AdamW is a Gaussian prior: the library finds the conversion {}. A matrix ABᵀ \
             with singular values (1 .8 .6 .4 .2) to fit shows it to four digits. Coupled L2 on A \
             and B takes λ off each, the nuclear norm that such a prior is ({}; off by {} at \
             most), while {}: nothing is taken off.",
            conversion.fidelity.name(),
            coupled.join(", "),
            short(number::rounded(sgd)),
            decoupled.join(", ")
        ),
    ))
}

/// What the library says of a λ that is too large, for claim 12.
pub(super) fn diverges() -> Result<String, StudyError> {
    let explanation = explained(&["torch.SGD", "weight_decay=30", "lr=0.1"])?;
    let reason = explanation.warnings.first().map(wd_conventions::explanation::Warning::reason);
    Ok(format!(
        "It diverges only where ηλ > 2 (the library on λ = 30, η = 0.1: {}).",
        reason.unwrap_or_default().trim_end_matches('.')
    ))
}

/// What the library says of a λ that is too small, for claim 13.
pub(super) fn does_nothing() -> Result<String, StudyError> {
    let words = ["torch.AdamW", "weight_decay=0.01", "lr=2e-5", "steps=1000", "schedule=linear"];
    let kappa = explained(&words)?.timescale.kappa.unwrap_or(f64::NAN);
    Ok(format!(
        "It follows from κ = Σ ηλ: where κ is {} (λ = 0.01, η = 2e-5, 1,000 steps, a usual \
         fine-tuning) the decay takes {} off the weights in the whole run.",
        short(number::rounded(kappa)),
        number::share(1.0 - (-kappa).exp())
    ))
}

/// Claim 30: the sources.
pub(super) fn sources() -> Finding {
    Finding::definition(
        "PRML 3.3 and 3.4 (Bishop 2006; 3.5 for the effective parameters) stand behind claims 4 to \
         10 and 18; lecture 3 of CS336 (T. Hashimoto, Stanford) shows the three panels of claims \
         22, 24 and 25 and draws claims 23 and 27 from them; they are figures of D'Angelo, \
         Andriushchenko, Varre & Flammarion, \"Why do we need weight decay in modern deep \
         learning?\" (arXiv 2310.04415), who explain them by the effective learning rate η/‖w‖.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_said_by_the_library() {
        let found = objective().expect("an explanation").found;
        assert!(found.contains("(λ/2)‖w‖²"), "{found}");
        let found = likelihood().expect("an explanation").found;
        assert!(found.contains("α = 1/σ² = 5"), "{found}");
        let found = prior_formula().expect("an explanation").found;
        assert!(found.contains("σ = 0.447") && found.contains("1/σ² = 5 "), "{found}");
        assert!(diverges().expect("an explanation").contains("grows without bound"));
        let found = does_nothing().expect("an explanation");
        assert!(found.contains("κ is 1e-4") && found.contains("0.01 %"), "{found}");
    }

    #[test]
    fn a_language_models_step_takes_less_off_than_a_resnets() {
        let found = larger_in_language_models();
        assert_eq!(found.verdict, Verdict::Contradicted, "{}", found.found);
        assert!(found.found.contains("0.3 times"), "{}", found.found);
    }

    #[test]
    fn adamw_is_no_prior() {
        let runs = Factorised::all().expect("runs");
        let found = adamw(&runs).expect("a conversion");
        assert_eq!(found.verdict, Verdict::Contradicted, "{}", found.found);
        assert!(found.found.contains("(0.9000 0.7000 0.5000 0.3000 0.1000)"), "{}", found.found);
    }
}
