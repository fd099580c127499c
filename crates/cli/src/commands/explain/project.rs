//! A configuration of this project as a decay to be explained.

use number::short;
use wd_conventions::library::Convention;
use wd_conventions::{DecayedTensors, DeclaredDecay};
use wd_decay::{
    DecayRule, Declared, Dtype, Loss, Momenta, MuonScale, OptimizerKind, Reduction, Role, Run,
    Storage, Unit,
};
use wd_nn::ClassLoss;
use wd_optim::Direction;
use wd_page::number;
use wd_train::config::ModelConfig;
use wd_train::{ConfigSource, Declaration, RunPlan};

use crate::diagnostics::CommandError;

/// What a configuration declares; without its corpus, as far as the file itself goes.
pub(super) fn declared(source: &ConfigSource) -> Result<DeclaredDecay, CommandError> {
    let plan = match source.config.data.path.exists() {
        true => Some(RunPlan::new(source.clone())?),
        false => None,
    };
    of_source(source, plan.as_ref())
}

/// What a planned run declares.
pub(crate) fn planned(plan: &RunPlan) -> Result<DeclaredDecay, CommandError> {
    of_source(&plan.source, Some(plan))
}

fn of_source(source: &ConfigSource, plan: Option<&RunPlan>) -> Result<DeclaredDecay, CommandError> {
    let declaration = Declaration::new(source)?;
    let config = &source.config;
    let optimizer = &declaration.optimizer;
    let width = declaration.model.width().map(|width| width as u64);
    let roles = declaration.layout.segments.iter().map(|segment| segment.role);
    let decays = declaration.choices.iter().map(|choice| choice.lambda > 0.0);
    let lambda_schedule = match plan {
        Some(plan) => Some(plan.lambda_schedule),
        None => declaration.lambda_schedule,
    };
    Ok(DeclaredDecay {
        name: source.name.clone(),
        library_equation: None,
        optimizer: Some(match optimizer.direction {
            Direction::Adam(_) => OptimizerKind::Adam,
            Direction::Sgd { .. } => OptimizerKind::Sgd,
            Direction::Lion { .. } => OptimizerKind::Lion,
            Direction::Muon { .. } => OptimizerKind::Muon,
        }),
        convention: Convention::Step {
            rule: optimizer.rule,
            per_unit: 1.0,
            cautious: optimizer.cautious,
        },
        lambda: Declared::stated(config.decay.lambda()),
        momenta: momenta(&optimizer.direction),
        muon_scale: width.map(|fan_in| MuonScale::Shape { fan_in }),
        lambda_name: "decay.lambda".to_owned(),
        l1_ratio: 0.0,
        anchor: config.decay.anchor.clone(),
        decayed: DecayedTensors::of(roles.zip(decays), config.decay.policy().name()),
        // In f32 the kernels of this project take decay and update in one pass.
        stores_shrunk_weights: config.optim.storage == Storage::Bf16Nearest,
        run: Run {
            lambda_schedule: lambda_schedule.filter(|_| config.decay.schedule.is_some()),
            ..run(source, &declaration, plan)
        },
        remarks: remarks(source, &declaration, plan),
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

/// What a person may not expect of this configuration.
fn remarks(
    source: &ConfigSource,
    declaration: &Declaration,
    plan: Option<&RunPlan>,
) -> Vec<String> {
    let config = &source.config;
    let mut remarks = Vec::new();
    if plan.is_none() {
        let path = config.data.path.display();
        remarks.push(match declaration.unit {
            Unit::Image => format!(
                "there are no images at {path}: their size and number, and what follows from them, \
                 are left out"
            ),
            _ => format!(
                "the corpus {path} is not prepared: its size, and what follows from it, is left out"
            ),
        });
    }
    if !config.decay.overrides.is_empty() {
        remarks.push(format!(
            "{} have a λ of their own by [decay.overrides]: `wd plan` lists it",
            number::counted(config.decay.overrides.len() as u64, "pattern")
        ));
    }
    if !config.optim.overrides.is_empty() || config.optim.layer_decay.is_some() {
        remarks.push(
            "tensors have learning rates of their own by [optim.overrides] or optim.layer_decay: \
             `wd plan` lists them, and this is about those without"
                .to_owned(),
        );
    }
    let lifted = declaration.lifted(source);
    remarks.extend(lifted.map(|(reason, fix)| format!("{reason}; {fix}")));
    let optimizer = declaration.optimizer;
    let is_penalty = optimizer.rule == DecayRule::CoupledL2
        && matches!(optimizer.direction, Direction::Sgd { .. })
        && config.decay.lambda() > 0.0;
    if is_penalty && let Some(norm) = optimizer.clip {
        remarks.push(format!(
            "gradients are clipped to norm {}, the penalty is not: while the clip acts it is \
             stronger than the prior says (optim.clip = 0)",
            short(norm)
        ));
    }
    if is_penalty && plan.is_some_and(|plan| !plan.running.segments.is_empty()) {
        remarks.push(
            "before a batch norm the loss does not depend on the scale of a convolution: there σ \
             is only a name, and λ sets the effective learning rate"
                .to_owned(),
        );
    }
    if !config.optim.storage.is_f32() {
        remarks.push(format!("weights are stored in {}", config.optim.storage.describe()));
    }
    if let Direction::Muon { .. } = optimizer.direction {
        remarks.push(
            "Muon moves the hidden matrices, which this is about; AdamW moves the rest".to_owned(),
        );
    }
    remarks
}

fn run(source: &ConfigSource, declaration: &Declaration, plan: Option<&RunPlan>) -> Run {
    let config = &source.config;
    let record = plan.map(|plan| &plan.record);
    let steps = record.map_or(declaration.steps, |record| Some(record.steps));
    let batch = declaration.per_step.map(|number| number as f64);
    let declared_size = declaration.knows_sizes.then_some(declaration.layout.len as u64);
    Run {
        peak_learning_rate: Some(Declared::stated(config.optim.lr)),
        schedule: plan.map_or(declaration.schedule, |plan| Some(plan.schedule)),
        steps,
        unit: declaration.unit,
        batch,
        total: steps.zip(batch).map(|(steps, batch)| steps as f64 * batch),
        data_points: record.map(|record| record.training_samples as f64),
        epochs: record.map(|record| record.epochs),
        context: declaration.model.context().map(|context| context as u64),
        parameters: record.map_or(declared_size, |record| Some(record.parameters)),
        width: declaration.model.width().map(|width| width as u64),
        init_std: Some(matrix_rms(declaration)),
        reduction: Some(Reduction::Mean),
        loss: Some(match &declaration.model {
            ModelConfig::Vision(model) if model.loss() == ClassLoss::MeanSquaredError => {
                Loss::SquaredError
            }
            _ => Loss::NegativeLogLikelihood,
        }),
        // Rounded stochastically, a decay is kept on average: as in f32.
        dtype: match config.optim.storage {
            Storage::Bf16Nearest => Dtype::Bf16,
            Storage::F32 | Storage::Bf16Stochastic => Dtype::F32,
        },
        ..Run::default()
    }
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
