//! A configuration of this project as the subject of an explanation.

use wd_conventions::explanation::DecayedTensors;
use wd_conventions::library::{Convention, Optimizer};
use wd_conventions::{RunDeclaration, Subject};
use wd_decay::{DecayRule, Given, Loss, Momenta, MuonScale, Reduction, Role, RunShape, Unit};
use wd_optim::Direction;
use wd_train::{
    ConfigSource, Declaration, RunPlan,
    config::{LossName, OptimizerKind},
};

use crate::{diagnostics::CommandError, text};

/// What a configuration declares; without its corpus, as far as the file itself goes.
pub(super) fn subject(source: ConfigSource) -> Result<Subject, CommandError> {
    let declaration = Declaration::new(&source)?;
    let config = source.config.clone();
    let plan = match config.data.path.exists() {
        true => Some(RunPlan::new(source.clone())?),
        false => None,
    };
    let mut remarks = Vec::new();
    if plan.is_none() {
        let path = config.data.path.display();
        remarks.push(match declaration.unit {
            Unit::Image => format!(
                "there are no images at {path}: their size and number, and what follows from them, are left out"
            ),
            _ => format!(
                "the corpus {path} is not prepared: its size, and what follows from it, is left out"
            ),
        });
    }
    if !config.decay.overrides.0.is_empty() {
        remarks.push(format!(
            "{} have a λ of their own by [decay.overrides]: `wd plan` lists it",
            text::counted(config.decay.overrides.0.len() as u64, "pattern")
        ));
    }
    let optimizer = declaration.optimizer;
    let is_penalty = optimizer.rule == DecayRule::CoupledL2
        && matches!(optimizer.direction, Direction::Sgd { .. })
        && config.decay.lambda() > 0.0;
    if is_penalty && let Some(norm) = optimizer.clip {
        remarks.push(format!(
            "gradients are clipped to norm {}, the penalty is not: while the clip acts it is stronger than the prior says (optim.clip = 0)",
            wd_page::number::short(norm)
        ));
    }
    if is_penalty && plan.as_ref().is_some_and(|plan| !plan.running.segments.is_empty()) {
        remarks.push(
            "before a batch norm the loss does not depend on the scale of a convolution: there σ is only a name, and λ sets the \
             effective learning rate"
                .to_owned(),
        );
    }
    if let Direction::Muon { .. } = optimizer.direction {
        remarks.push(
            "Muon moves the hidden matrices, which this is about; AdamW moves the rest".to_owned(),
        );
    }
    Ok(Subject {
        name: source.name.clone(),
        library_equation: None,
        optimizer: match config.optim.kind {
            OptimizerKind::Adamw | OptimizerKind::Adam => Optimizer::Adam,
            OptimizerKind::Sgd => Optimizer::Sgd,
            OptimizerKind::Lion => Optimizer::Lion,
            OptimizerKind::Muon => Optimizer::Muon,
        },
        convention: Convention::Step {
            rule: optimizer.rule,
            per_unit: 1.0,
            cautious: optimizer.cautious,
        },
        lambda: Given::typed(config.decay.lambda()),
        lambda_schedule: config.decay.schedule.as_ref().and_then(|_| {
            plan.as_ref().map_or(declaration.lambda_schedule, |plan| Some(plan.lambda_schedule))
        }),
        momenta: momenta(&optimizer.direction),
        muon_scale: declaration
            .model
            .width()
            .map(|width| MuonScale::Shape { fan_in: width as u64 }),
        l1_ratio: 0.0,
        anchor: config.decay.anchor.clone(),
        decayed: decayed(&declaration, config.decay.policy().name()),
        // The kernels of this project take decay and update in one pass.
        stores_shrunk_weights: false,
        run: shape(&source, &declaration, plan.as_ref())?,
        remarks,
    })
}

fn momenta(direction: &Direction) -> Momenta {
    let absent = Momenta { momentum: 0.0, dampening: 0.0, nesterov: false, beta1: 0.0, beta2: 0.0 };
    match *direction {
        Direction::Sgd { momentum, dampening, nesterov } => {
            Momenta { momentum, dampening, nesterov, ..absent }
        }
        Direction::Adam(adam) => Momenta { beta1: adam.beta1, beta2: adam.beta2, ..absent },
        Direction::Lion { beta1, beta2 } => Momenta { beta1, beta2, ..absent },
        Direction::Muon { momentum, nesterov, .. } => Momenta { momentum, nesterov, ..absent },
    }
}

/// Which roles decay, and by which policy.
fn decayed(declaration: &Declaration, policy: &str) -> DecayedTensors {
    let decays = |role: Role| {
        declaration
            .layout
            .segments
            .iter()
            .zip(&declaration.choices)
            .filter(|(segment, _)| segment.role == role)
            .map(|(_, choice)| choice.lambda > 0.0)
            .collect::<Vec<bool>>()
    };
    let mut words = Vec::new();
    for role in Role::ALL {
        let tensors = decays(role);
        let count = tensors.iter().filter(|decays| **decays).count();
        if count > 0 {
            words.push(format!("{count} of {} {role} tensors", tensors.len()));
        }
    }
    let any = |role| decays(role).contains(&true);
    DecayedTensors {
        description: match words.as_slice() {
            [] => format!("nothing (policy {policy})"),
            words => format!("{} (policy {policy})", words.join(", ")),
        },
        norms_and_biases: any(Role::Norm) || any(Role::Bias),
        embeddings: any(Role::Embedding),
    }
}

fn shape(
    source: &ConfigSource,
    declaration: &Declaration,
    plan: Option<&RunPlan>,
) -> Result<RunShape, CommandError> {
    let config = &source.config;
    let record = plan.map(|plan| &plan.record);
    let steps = record.map_or(declaration.steps, |record| Some(record.steps));
    let batch = declaration.per_step.map(|number| number as f64);
    let parameters = match record {
        Some(record) => Some(record.parameters),
        None => declaration.knows_sizes.then_some(declaration.layout.len as u64),
    };
    Ok(RunShape {
        peak_learning_rate: Some(Given::typed(config.optim.lr)),
        schedule: plan.map_or(declaration.schedule, |plan| Some(plan.schedule)),
        steps,
        unit: declaration.unit,
        batch,
        total: steps.zip(batch).map(|(steps, batch)| steps as f64 * batch),
        data_points: record.map(|record| record.training_samples as f64),
        epochs: record.map(|record| record.epochs),
        context: declaration.model.context().map(|context| context as u64),
        parameters,
        width: declaration.model.width().map(|width| width as u64),
        init_std: Some(matrix_rms(declaration)),
        reduction: Some(Reduction::Mean),
        loss: Some(match config.model.loss {
            Some(LossName::MeanSquaredError) => Loss::SquaredError,
            _ => Loss::NegativeLogLikelihood,
        }),
        ..RunDeclaration::default().resolve()?
    })
}

/// RMS of the initial weights of the hidden matrices and convolutions together.
fn matrix_rms(declaration: &Declaration) -> f64 {
    let (mut squares, mut count) = (0.0, 0.0);
    for segment in &declaration.layout.segments {
        if matches!(segment.role, Role::Matrix | Role::Convolution) {
            let length = segment.len() as f64;
            squares += length * (segment.initial_mean.powi(2) + segment.initial_std.powi(2));
            count += length;
        }
    }
    (squares / f64::max(count, 1.0)).sqrt()
}
