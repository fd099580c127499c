//! The page of a plan: what decays and why, what follows from it, and what it costs.

use wd_decay::{Anchor, DecayRule, OptimizerKind, Unit};
use wd_optim::{AdamParameters, Direction};
use wd_page::{Content, Page, Section, Table, counted, number};

use super::lambdas::lifted;
use super::run_plan::RunPlan;
use crate::cost::Cost;

/// Moments of the run at which rate, λ and shrink are shown.
const MOMENTS: u64 = 12;

impl RunPlan {
    /// The plan as a page, with what its steps cost on so many threads.
    pub fn page(&self, cost: &Cost, threads: usize) -> Page {
        Page {
            kind: "What a configuration would do",
            title: self.source.name.clone(),
            sections: vec![
                Section::new("tensors", "What decays, and why", tensors(self)),
                Section::new("run", "The run", vec![Content::Facts(facts(self, cost, threads))]),
                Section::new("steps", "Step by step", vec![moments(self)]),
            ],
            ..Page::default()
        }
    }
}

/// Every tensor with its λ and the reason for it.
fn tensors(plan: &RunPlan) -> Vec<Content> {
    let mut columns = vec!["tensor", "shape", "role", "reason", "parameters", "λ"];
    let has_own_rates = plan.record.tensors.iter().any(|tensor| tensor.rate_ratio != 1.0);
    if has_own_rates {
        columns.push("learning rate");
    }
    let mut table = Table::new(&columns, 4);
    table.rows.extend(plan.record.tensors.iter().map(|tensor| {
        let mut row = vec![
            tensor.path.clone(),
            format!("{:?}", tensor.shape),
            tensor.role.to_string(),
            tensor.reason.clone(),
            number::count(tensor.parameters),
            number::short(tensor.lambda),
        ];
        if has_own_rates {
            row.push(number::short(plan.record.peak_learning_rate * tensor.rate_ratio));
        }
        row
    }));
    let mut contents = vec![Content::Table(table)];
    let lifted = lifted(&plan.source, &plan.layout, &plan.choices);
    contents.extend(lifted.map(|(reason, fix)| Content::Warning { reason, fix }));
    contents
}

fn facts(plan: &RunPlan, cost: &Cost, threads: usize) -> Vec<(String, String)> {
    let record = &plan.record;
    let (lambda, kappa) = lambda_and_kappa(plan);
    let mut facts = vec![("parameters", parameters(plan))];
    let has_own_rates = record.tensors.iter().any(|tensor| tensor.rate_ratio != 1.0);
    facts.extend([
        ("optimizer", optimizer(plan)),
        ("decay", update(plan)),
        ("learning rate", record.schedule.describe()),
        ("λ", lambda),
    ]);
    if let Some(other) = &record.effective_rate_of {
        let rate =
            format!("of each tensor: times its norm here over its norm in {}", other.display());
        facts.push(("effective rate", rate));
    }
    if has_own_rates {
        let whose = "κ, τ and the steps below are of a tensor without a learning rate of its own";
        facts.push(("own rates", whose.to_owned()));
    }
    if !record.storage.is_f32() {
        facts.push(("weights", record.storage.describe().to_owned()));
    }
    facts.extend([("data", data(plan))]);
    facts.extend(record.images.as_ref().map(|images| ("images", images.describe())));
    facts.extend([
        ("κ = Σ shrink", kappa),
        ("τ = 1/peak shrink", timescale(plan)),
        ("as a prior", prior(plan)),
        (
            match record.unit {
                Unit::Image => "images per parameter",
                _ => "tokens per parameter",
            },
            number::short(record.samples_per_parameter),
        ),
        ("memory", memory(cost)),
        (
            "expected time",
            format!(
                "{} at {} {}/s on {}; evaluations come on top",
                number::duration(cost.seconds),
                number::rate(cost.samples_per_second),
                record.unit.words(),
                counted(threads, "thread")
            ),
        ),
    ]);
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn parameters(plan: &RunPlan) -> String {
    let holds = plan.source.config.decay.holds();
    format!(
        "{}; {} {}",
        number::count(plan.record.parameters),
        number::count(plan.record.decayed_parameters),
        if holds { "are held at their norm" } else { "decay" }
    )
}

fn data(plan: &RunPlan) -> String {
    let record = &plan.record;
    format!(
        "{} training and {} {} {}; {} of {} = {:.2} epochs",
        number::count(record.training_samples),
        number::count(record.validation_samples),
        record.held_out(),
        record.unit.words(),
        counted(number::count(record.steps), "step"),
        counted(number::count(record.samples_per_step), record.unit.noun()),
        record.epochs
    )
}

fn lambda_and_kappa(plan: &RunPlan) -> (String, String) {
    let record = &plan.record;
    if plan.source.config.decay.holds() {
        return (
            "none: 1 says that a tensor is held".to_owned(),
            "none: nothing decays".to_owned(),
        );
    }
    let kappa = if record.hides_shrink() {
        format!("not known: {} divides the penalty as it does the gradient", record.optimizer)
    } else {
        format!(
            "{}; e^−κ = {} of the initial weights is left",
            number::short(record.kappa),
            number::short((-record.kappa).exp())
        )
    };
    (plan.lambda_schedule.describe(), kappa)
}

fn timescale(plan: &RunPlan) -> String {
    let record = &plan.record;
    match (record.tau_steps, record.tau_fraction) {
        (Some(steps), Some(fraction)) => {
            let steps = counted(number::amount(steps), "step");
            format!("{steps} = {}", number::of_the_run(fraction))
        }
        _ if plan.source.config.decay.holds() => {
            "none: the norm is held, the direction turns by about η_t a step".to_owned()
        }
        _ if record.hides_shrink() => {
            format!("not known: the penalty goes through {} with the gradient", record.optimizer)
        }
        _ => "none: nothing decays".to_owned(),
    }
}

fn memory(cost: &Cost) -> String {
    format!(
        "{} (parameters and gradients {}, optimizer state {}, activations {})",
        number::bytes(cost.parameters + cost.optimizer + cost.activations),
        number::bytes(cost.parameters),
        number::bytes(cost.optimizer),
        number::bytes(cost.activations)
    )
}

/// The optimizer with every number that was given or is a default.
fn optimizer(plan: &RunPlan) -> String {
    let adam = |adam: &AdamParameters| {
        format!("β₁ {}, β₂ {}, ε {:e}", adam.beta1, adam.beta2, adam.epsilon)
    };
    let direction = match &plan.optimizer.direction {
        Direction::Sgd { momentum, dampening, nesterov } => format!(
            "momentum {momentum}, dampening {dampening}{}",
            if *nesterov { ", Nesterov" } else { "" }
        ),
        Direction::Adam(parameters) => adam(parameters),
        Direction::Lion { beta1, beta2 } => format!("β₁ {beta1}, β₂ {beta2}"),
        Direction::Muon {
            momentum,
            nesterov,
            newton_schulz_steps,
            auxiliary,
            auxiliary_learning_rate_ratio,
        } => format!(
            "momentum {momentum}{}, {newton_schulz_steps} Newton–Schulz steps; AdamW for what is \
             no hidden matrix: {}, learning rate × {auxiliary_learning_rate_ratio}",
            if *nesterov { ", Nesterov" } else { "" },
            adam(auxiliary)
        ),
    };
    let clip = match plan.optimizer.clip {
        Some(norm) => format!("clipped to norm {}", number::short(norm)),
        None => "not clipped".to_owned(),
    };
    format!("{}: {direction}; gradients {clip}", plan.record.optimizer)
}

/// The rule as an equation, with what modifies it.
fn update(plan: &RunPlan) -> String {
    let mut update = format!("{}: {}", plan.rule(), plan.rule().equation());
    if plan.rule() == DecayRule::Hyperball {
        update.push_str(", R = ‖w₀‖; other tensors: w ← w − η_t u");
        return update;
    }
    let anchor = match &plan.anchor {
        Anchor::Norm(ratio) => format!("Rw/‖w‖, R = {ratio}·‖w₀‖"),
        anchor => anchor.to_string(),
    };
    update.push_str(&format!("; a = {anchor}"));
    if plan.optimizer.cautious {
        update.push_str("; only where u·(w − a) ≥ 0 (cautious)");
    }
    update
}

/// What λ is as a prior, where it is one and the number of data is that of the training images.
fn prior(plan: &RunPlan) -> String {
    let record = &plan.record;
    let is_penalty = record.optimizer == OptimizerKind::Sgd
        && plan.rule() == DecayRule::CoupledL2
        && plan.anchor == Anchor::Zero
        && record.lambda > 0.0;
    let mut but = String::new();
    if plan.optimizer.clip.is_some() {
        but.push_str(
            "; while gradients are clipped the penalty is stronger than that (optim.clip \
                      = 0 switches it off)",
        );
    }
    if !plan.running.segments.is_empty() {
        but.push_str(
            "; before a batch norm the loss does not depend on the scale of a weight: of such \
             weights σ says nothing, and λ sets their effective learning rate",
        );
    }
    match (is_penalty, record.unit) {
        (true, Unit::Image) => format!(
            "w ~ N(0, σ²), σ = 1/√(λN) = {} for the mean loss over N = {} images{but}",
            number::short((record.lambda * record.training_samples as f64).sqrt().recip()),
            number::count(record.training_samples)
        ),
        (true, _) => "a Gaussian one; `wd explain` says how wide".to_owned(),
        (false, _) if record.lambda == 0.0 => "none: maximum likelihood".to_owned(),
        (false, _) => "none: only a penalty in the gradient of SGD is a Gaussian prior (`wd \
                       explain` says why)"
            .to_owned(),
    }
}

/// Learning rate, λ and shrink at some moments of the run.
fn moments(plan: &RunPlan) -> Content {
    let steps = plan.record.steps;
    let mut table = Table::new(&["step", "learning rate", "λ", "shrink"], 0);
    let mut moments: Vec<u64> = (0..MOMENTS)
        .map(|moment| moment * steps.saturating_sub(1) / (MOMENTS - 1))
        .filter(|step| *step < steps)
        .collect();
    moments.dedup();
    table.rows.extend(moments.into_iter().map(|step| {
        vec![
            number::count(step + 1),
            number::short(plan.learning_rate(step)),
            number::short(plan.record.lambda_at(step)),
            match plan.rule() {
                DecayRule::Hyperball => "holds the norm".to_owned(),
                _ if plan.record.hides_shrink() => "in the gradient".to_owned(),
                _ => number::short(plan.record.shrink(step)),
            },
        ]
    }));
    Content::Table(table)
}
