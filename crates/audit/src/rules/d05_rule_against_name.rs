//! D05: the name says one rule of decay and the optimizer applies the other.

use wd_page::number::short;

use super::evidence::groups;
use super::words::configuration;
use super::{Report, Rule};
use crate::case::{Case, Subject};
use crate::checkpoint::{Group, OptimizerState};
use crate::dialect::Declaration;
use crate::estimate::Method;
use crate::finding::{Place, Severity};

/// λ from which a coupled penalty under Adam is hardly ever meant: Adam divides it by the size of
/// the gradient, so that numbers of the size that AdamW takes act far more strongly.
const RARELY_MEANT: f64 = 1e-3;

pub(super) static RULE: Rule = Rule {
    id: "D05",
    name: "rule-against-name",
    severity: Severity::Warning,
    finds: "The name of the optimizer promises one rule of decay, and the other one is applied.",
    why: "Adam with an L2 penalty and AdamW are different methods under nearly the same name. In \
        AdamW each step takes ηλw off a weight. In Adam λw is added to the gradient and then \
        divided by the gradient's size: weights with large gradients hardly decay, and a λ that \
        suits the one is wrong for the other by orders of magnitude.",
    seen: "PyTorch since 2.15 stores decoupled_weight_decay in each group: False with a λ of 0.001 \
        or more is reported, whatever the name. So is a configuration whose name and whose rule \
        differ (`adam` is decoupled in fairseq, DeepSpeed and bitsandbytes), and a momentum of \
        rows without gradient that holds a penalty although the name says AdamW. Older files with \
        the optimizer alone do not tell the two apart.",
    mend: "Use the class whose rule you mean:\
        \n\n    optimizer = torch.optim.AdamW(groups, lr=lr, weight_decay=0.1)\
        \n\nIf the penalty is meant, say so beside the number, and choose λ for it.",
    no_fault: "A penalty under Adam is meant now and then, with a λ below 0.001: that is not \
        reported. Under SGD the two rules are one, up to a factor of the rate.",
    cases: &["keras#19051", "Optimisers.jl#182", "DeepSpeed#668"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let declarations = subject.declared(case);
        let found = coupled_group(subject, declarations)
            .or_else(|| coupled_momentum(case, subject, declarations))
            .or_else(|| decoupled_group(subject, declarations))
            .or_else(|| decoupled_adam(declarations));
        let Some((message, fix)) = found else { continue };
        report.add(Place::file(&subject.checkpoint.path), message, fix.to_owned(), Vec::new());
    }
    if case.subjects.is_empty()
        && let Some((message, fix)) = decoupled_adam(&case.declarations)
        && let Some(declaration) = case.declarations.first()
    {
        let place = Place { file: declaration.file.clone(), line: declaration.line };
        report.add(place, message, fix.to_owned(), Vec::new());
    }
}

type Words = (String, &'static str);

/// A group that says itself that its decay is a penalty in the gradient.
fn coupled_group(subject: &Subject, declarations: &[Declaration]) -> Option<Words> {
    let is_coupled = |&(_, group): &(&OptimizerState, &Group)| {
        let lambda = group.lambda.unwrap_or(0.0);
        group.decoupled == Some(false) && group.betas.is_some() && lambda >= RARELY_MEANT
    };
    let (optimizer, group) = groups(subject).find(is_coupled)?;
    let declared = declarations.iter().find_map(|one| one.optimizer_name.as_deref());
    let name = match optimizer.name.as_deref().or(declared) {
        Some(name) => format!("The optimizer, `{name}`,"),
        None => "The optimizer".to_owned(),
    };
    let message = format!(
        "{name} adds λw to the gradient (`decoupled_weight_decay` is False) with λ = {}, which \
         is then divided by the size of the gradient.",
        short(group.lambda?)
    );
    Some((message, "Use torch.optim.AdamW, or choose λ for a penalty under Adam on purpose."))
}

/// A group that decouples its decay, where the configuration names an optimizer that does not.
fn decoupled_group(subject: &Subject, declarations: &[Declaration]) -> Option<Words> {
    let declaration = declarations.iter().find(|one| one.decoupled == Some(false))?;
    let is_other = |&(_, group): &(&OptimizerState, &Group)| {
        group.decoupled == Some(true) && group.betas.is_some() && group.lambda > Some(0.0)
    };
    let (_, group) = groups(subject).find(is_other)?;
    let named = match declaration.optimizer_name.as_deref() {
        Some(name) => format!("names `{name}`, which adds λw to the gradient"),
        None => "says that λw is added to the gradient".to_owned(),
    };
    let message = format!(
        "{} {named}, and the optimizer of the file takes its decay off the weights \
         (`decoupled_weight_decay` is True) with λ = {}.",
        configuration(declaration),
        short(group.lambda?)
    );
    Some((message, "Find out which of the two was trained, and choose λ for that method."))
}

/// A penalty in the momentum of an optimizer that is called AdamW.
fn coupled_momentum(case: &Case, subject: &Subject, declarations: &[Declaration]) -> Option<Words> {
    let is_silent = groups(subject).any(|(_, group)| group.decoupled.is_some());
    let promises = declarations.iter().any(|declaration| declaration.decoupled == Some(true))
        || subject.checkpoint.optimizers.iter().any(|optimizer| {
            optimizer.name.as_deref().is_some_and(|name| name.to_lowercase().contains("adamw"))
        });
    let mut estimates = case.proof.estimates.iter();
    let found = estimates.find(|one| {
        one.method == Method::CoupledMomentum && one.lambda.is_some_and(|lambda| lambda.low > 0.0)
    })?;
    (!is_silent && promises).then(|| {
        let message = format!(
            "The optimizer is called AdamW, and the momentum of rows of `{}` without a gradient of \
             the loss holds λw with λ̂ = {}: the decay is a penalty in the gradient.",
            found.tensor,
            found.lambda.map_or(String::new(), |lambda| short(lambda.value))
        );
        (
            message,
            "Use an optimizer that takes the decay off the weights and not into the gradient.",
        )
    })
}

/// A configuration that says `adam` where its trainer decouples.
fn decoupled_adam(declarations: &[Declaration]) -> Option<Words> {
    let declaration = declarations.iter().find(|declaration| {
        let name = declaration.optimizer_name.as_deref().map(str::to_lowercase);
        let decays = declaration.lambda.is_some_and(|lambda| lambda.value > 0.0);
        decays && declaration.decoupled == Some(true) && name.as_deref() == Some("adam")
    })?;
    let message = format!(
        "The configuration says `adam`, and {} builds it with decoupled decay, as AdamW has it.",
        declaration.dialect
    );
    Some((message, "Choose λ as for AdamW, and call the method AdamW where it is described."))
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::estimate::Method;
    use crate::rules::testing::*;

    pub(crate) fn fault() -> Case {
        let mut subject = clean();
        let groups = &mut subject.checkpoint.optimizers[0].groups;
        groups.iter_mut().for_each(|group| group.decoupled = Some(false));
        one(subject)
    }

    /// A small penalty under Adam, which is meant.
    pub(crate) fn look_alike() -> Case {
        let mut case = fault();
        set_lambda(&mut case.subjects[0], 0, 1e-4);
        case
    }

    #[test]
    fn adam_by_name_that_decouples_in_the_file_is_found() {
        let mut declaration = declared(0.1);
        declaration.optimizer_name = Some("Adam".to_owned());
        declaration.decoupled = Some(false);
        let mut subject = clean();
        for group in &mut subject.checkpoint.optimizers[0].groups {
            group.decoupled = Some(true);
        }
        let case = Case { declarations: vec![declaration], ..one(subject) };
        let [finding] = &findings_of("D05", &case)[..] else { panic!("one finding") };
        assert!(finding.message.contains("names `Adam`"), "{}", finding.message);
    }

    #[test]
    fn adam_that_decouples_and_a_penalty_under_the_name_of_adamw_are_found() {
        let mut declaration = declared(0.1);
        declaration.optimizer_name = Some("adam".to_owned());
        declaration.decoupled = Some(true);
        let case = Case { declarations: vec![declaration], ..one(clean()) };
        assert_eq!(findings_of("D05", &case).len(), 1);

        let mut subject = clean();
        subject.checkpoint.optimizers[0].name = Some("AdamW".to_owned());
        for group in &mut subject.checkpoint.optimizers[0].groups {
            group.decoupled = None;
        }
        let mut case = one(subject);
        case.proof.estimates = vec![estimate("wte.weight", Method::CoupledMomentum, 0.1, 0.01)];
        assert_eq!(findings_of("D05", &case).len(), 1);
        assert!(findings_of("D06", &case).is_empty());
    }
}
