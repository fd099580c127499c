//! û, the direction in which an optimizer moved a tensor, as a function of the state that it saved.
//!
//! | optimizer | û | states |
//! |---|---|---|
//! | Adam, AdamW | m̂/(√v̂ + ε) | after |
//! | amsgrad | m̂/(√v̂_max + ε) | after |
//! | SGD | b | after |
//! | SGD, Nesterov | (b_t − μb_{t−1}) + μb_t | both |
//! | Lion | sign(β₁m_{t−1} + (1 − β₁)g), g = (m_t − β₂m_{t−1})/(1 − β₂) | both |

use super::pair::Held;
use crate::checkpoint::ParameterState;
use crate::tensor::Tensor;

/// How û follows from the tensors of the state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum UpdateRule {
    /// First and second moment.
    Adam {
        /// 1 − β₁ᵗ.
        first_correction: f64,
        /// √(1 − β₂ᵗ).
        root_correction: f64,
        epsilon: f64,
    },
    /// The buffer.
    Momentum,
    /// The buffer after and before.
    Nesterov { momentum: f64 },
    /// The momentum after and before.
    Lion { beta1: f64, beta2: f64 },
}

/// The direction of a tensor's last update.
pub(crate) struct Update<'a> {
    pub(crate) rule: UpdateRule,
    /// The tensors that the rule reads, in its order.
    pub(crate) state: Vec<&'a Tensor>,
}

impl UpdateRule {
    /// û of one coordinate; not a number where it cannot be told.
    pub(crate) fn direction(&self, state: &[f64]) -> f64 {
        match (*self, state) {
            (UpdateRule::Adam { first_correction, root_correction, epsilon }, &[m, v, ..]) => {
                m / first_correction / (v.sqrt() / root_correction + epsilon)
            }
            (UpdateRule::Momentum, &[buffer, ..]) => buffer,
            (UpdateRule::Nesterov { momentum }, &[after, before, ..]) => {
                after - momentum * before + momentum * after
            }
            (UpdateRule::Lion { beta1, beta2 }, &[after, before, ..]) => {
                let gradient = (after - beta2 * before) / (1.0 - beta2);
                let blend = beta1 * before + (1.0 - beta1) * gradient;
                // The gradient is a small difference of rounded numbers: a blend within its error
                // has no certain sign.
                let error = 1e-6 * (1.0 - beta1) / (1.0 - beta2) * (after.abs() + before.abs());
                if blend.abs() > error {
                    blend.signum()
                } else if after == 0.0 && before == 0.0 {
                    0.0
                } else {
                    f64::NAN
                }
            }
            _ => f64::NAN,
        }
    }
}

/// The family that the names of the state's tensors and the group's settings tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Adam,
    Momentum,
    Lion,
}

impl<'a> Update<'a> {
    /// The update that ended at `after`; `before` is the state one step earlier, where it is here.
    ///
    /// # Errors
    /// The reason, as a clause, why the update cannot be told.
    pub(crate) fn of(before: Option<&Held<'a>>, after: &Held<'a>) -> Result<Self, String> {
        let state = after.state.ok_or("the optimizer has no state for it")?;
        let earlier = || {
            let state = before.and_then(|held| held.state);
            state.ok_or("its optimizer's update needs the state of both checkpoints")
        };
        let tensor = |state: &'a ParameterState, name: &str| {
            state.tensor(name).ok_or_else(|| format!("its state has no `{name}`"))
        };
        match family(after, state)? {
            Family::Adam => {
                let second = if state.tensor("max_exp_avg_sq").is_some()
                    && after.group.amsgrad != Some(false)
                {
                    "max_exp_avg_sq"
                } else {
                    "exp_avg_sq"
                };
                Ok(Update {
                    rule: adam(after, after.step)?,
                    state: vec![tensor(state, "exp_avg")?, tensor(state, second)?],
                })
            }
            Family::Momentum if after.group.nesterov == Some(true) => {
                let momentum = after.group.momentum.ok_or("its group has no momentum")?;
                let buffers =
                    vec![tensor(state, "momentum_buffer")?, tensor(earlier()?, "momentum_buffer")?];
                Ok(Update { rule: UpdateRule::Nesterov { momentum }, state: buffers })
            }
            Family::Momentum => Ok(Update {
                rule: UpdateRule::Momentum,
                state: vec![tensor(state, "momentum_buffer")?],
            }),
            Family::Lion => {
                let (beta1, beta2) = after.group.betas.ok_or("its group has no β₁ and β₂")?;
                let momenta = vec![tensor(state, "exp_avg")?, tensor(earlier()?, "exp_avg")?];
                Ok(Update { rule: UpdateRule::Lion { beta1, beta2 }, state: momenta })
            }
        }
    }

    /// û of a block of coordinates.
    pub(crate) fn directions(&self, state: &[Vec<f64>], directions: &mut Vec<f64>) {
        directions.clear();
        let length = state.iter().map(Vec::len).min().unwrap_or(0);
        directions.extend((0..length).map(|at| {
            let coordinate = [state[0][at], state.get(1).map_or(0.0, |second| second[at])];
            self.rule.direction(&coordinate)
        }));
    }
}

/// Adam's rule after a count of steps.
pub(crate) fn adam(held: &Held<'_>, step: Option<f64>) -> Result<UpdateRule, String> {
    let (beta1, beta2) = held.group.betas.ok_or("its group has no β₁ and β₂")?;
    let step = step.filter(|&step| step >= 1.0).ok_or("its count of steps is not in the file")?;
    let is_decay = |beta: f64| (0.0..1.0).contains(&beta);
    if !is_decay(beta1) || !is_decay(beta2) {
        return Err("its β₁ or β₂ is not between 0 and 1".to_owned());
    }
    Ok(UpdateRule::Adam {
        first_correction: 1.0 - beta1.powf(step),
        root_correction: (1.0 - beta2.powf(step)).sqrt(),
        // PyTorch's default; a group without ε does not come from PyTorch.
        epsilon: held.group.epsilon.unwrap_or(1e-8),
    })
}

/// Which family an optimizer is of.
///
/// # Errors
/// The reason, as a clause, why its update cannot be computed from its state.
pub(crate) fn family(held: &Held<'_>, state: &ParameterState) -> Result<Family, String> {
    let has = |name: &str| state.tensor(name).is_some();
    let set = |key: &str| held.group.settings.iter().any(|(name, _)| name == key);
    let name = held.optimizer.name.as_deref().unwrap_or_default().to_lowercase();
    let refused =
        |what: &str| Err(format!("the update of {what} cannot be computed from its state"));
    if has("state1") || has("absmax1") {
        return Err("its state is kept in 8 bits".to_owned());
    }
    if set("ns_steps") || set("ns_coefficients") || name.contains("muon") {
        return refused("Muon, which orthogonalises in bf16,");
    }
    if has("exp_avg_sq_row") || has("row_var") || name.contains("adafactor") {
        return refused("Adafactor, which keeps rows and columns alone,");
    }
    if has("exp_inf") || set("momentum_decay") || has("mu_product") || name.contains("nadam") {
        return refused("NAdam or Adamax");
    }
    // RAdam has the settings of Adam but `amsgrad`, which every Adam of PyTorch has.
    let is_radam = set("decoupled_weight_decay") && !set("amsgrad") && has("exp_avg_sq");
    if is_radam || name.contains("radam") {
        return refused("RAdam, which rectifies its steps,");
    }
    if has("exp_avg") && has("exp_avg_sq") {
        return Ok(Family::Adam);
    }
    if ["square_avg", "sum", "acc_delta", "ax"].iter().any(|other| has(other)) {
        return refused("RMSprop, Adagrad, Adadelta or ASGD");
    }
    if has("momentum_buffer") {
        return Ok(Family::Momentum);
    }
    if has("exp_avg") {
        return Ok(Family::Lion);
    }
    Err("its state holds no moment or momentum that is known".to_owned())
}
