//! Q: decay by way of the gradient, from the momentum of rows that no gradient of the loss reached.
//!
//! Under decoupled decay, or none, their momentum is zero. A coupled penalty is their whole
//! gradient, λw, so that the momentum is parallel to the weights.
//!
//! SGD with momentum μ: b_t = λ Σ μʲ w_{t−1−j}. Such a row shrinks by one factor ρ a step; with
//! β = ⟨b, w⟩/⟨w, w⟩ it is ρ = 1/(1 + ηβ), and λ = β(ρ − μ) exactly. Without η, λ ≈ β(1 − μ).
//! A small gradient of the loss beside the penalty moves both: what stands across the weights shows
//! how large it is, and as much may lie along them. Rows that show none are taken where there are
//! enough, and the interval is wider by what the rows show.
//! That factor exists for ηλ < (1 − √μ)² alone: above it a row swings about zero, and near it the
//! factor is reached after many steps.
//!
//! Adam: every element falls by η a step, whatever λ, so that
//! m̂ = λ(w + η sgn(w)/(1 − β₁)) while |w| ≫ η, and v̂ ≈ m̂², which no noisy gradient does.

use super::least_squares::Equations;
use super::pair::Held;
use super::update::{Family, family};
use super::{Estimate, Method, TensorEstimate};
use crate::measure::{SHORTEST_ROW, row_layout, side_by_side};
use crate::tensor::Tensor;

/// Cosine between momentum and weights from which a row counts. A row of eight random elements
/// passes 0.995 once in 10⁷.
const PARALLEL: f64 = 0.995;

/// λ̂ of a coupled penalty, and the rows that gave it. Nothing if no row's momentum is parallel to
/// its weights.
pub(crate) fn estimate(
    name: &str,
    weights: &Tensor,
    held: &Held<'_>,
    declared: Option<f64>,
) -> Option<TensorEstimate> {
    let state = held.state?;
    let penalty = Penalty::of(held, family(held, state).ok()?)?;
    let mut tensors = vec![weights];
    match penalty.family {
        Family::Adam => tensors.extend([state.tensor("exp_avg")?, state.tensor("exp_avg_sq")?]),
        _ => tensors.push(state.tensor("momentum_buffer")?),
    }
    let rows = parallel_rows(&tensors, &penalty)?;
    // Where the file says that decay stands beside the gradient, two rows are chance.
    let fewest = if held.group.decoupled == Some(true) { 8 } else { 2 };
    let rows = clearest(rows, fewest)?;
    let (square, product) =
        rows.iter().fold((0.0, 0.0), |(a, b), row| (a + row.square, b + row.slope * row.square));
    if square <= 0.0 {
        return None;
    }
    let slope = product / square;
    let count = rows.len() as f64;
    let mean = rows.iter().map(|row| row.slope).sum::<f64>() / count;
    let spread = rows.iter().map(|row| (row.slope - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let across = rows.iter().map(|row| row.across).sum::<f64>() / count;
    let (lambda, scale) = penalty.lambda(slope);
    // The rate is the next step's, and stood for those of the last 1/(1 − μ) steps.
    let floor = lambda.abs() * (across + if penalty.rate > 0.0 { 1e-2 } else { 0.3 });
    let lambda = Estimate::new(lambda, (spread / count).sqrt() * scale, floor);
    if penalty.swings(lambda.value) || declared.is_some_and(|declared| penalty.swings(declared)) {
        return None;
    }
    // A penalty pulls to zero: momentum along the weights the other way is another gradient.
    if lambda.low <= 0.0 {
        return None;
    }
    Some(TensorEstimate {
        tensor: name.to_owned(),
        method: Method::CoupledMomentum,
        lambda: Some(lambda),
        shrink: None,
        rate: None,
        declared,
        rows: rows.len(),
        elements: rows.iter().map(|row| row.elements).sum(),
        declared_before: None,
        remark: Some(remark(across)),
    })
}

/// How the momentum of a row whose whole gradient is λw depends on its weights.
struct Penalty {
    family: Family,
    rate: f64,
    /// 1 − β₁ᵗ and 1 − β₂ᵗ; 1 for SGD.
    corrections: (f64, f64),
    /// η/(1 − β₁): how much larger the weights were that Adam's momentum remembers.
    past: f64,
    momentum: f64,
    /// 1 − dampening.
    intake: f64,
}

impl Penalty {
    fn of(held: &Held<'_>, family: Family) -> Option<Self> {
        let rate = held.group.rate.unwrap_or(0.0);
        let step = held.step.unwrap_or(f64::INFINITY);
        let (corrections, past) = match family {
            Family::Adam => {
                let (beta1, beta2) = held.group.betas?;
                let corrections = (1.0 - beta1.powf(step), 1.0 - beta2.powf(step));
                (corrections, rate / (1.0 - beta1))
            }
            Family::Momentum => ((1.0, 1.0), 0.0),
            Family::Lion => return None,
        };
        let momentum = held.group.momentum.unwrap_or(0.0);
        let intake = 1.0 - held.group.dampening.unwrap_or(0.0);
        Some(Penalty { family, rate, corrections, past, momentum, intake })
    }

    /// What the momentum is proportional to, and the momentum. Nothing for elements within some
    /// steps of zero, about which they swing.
    fn observation(&self, weight: f64, momentum: f64) -> Option<([f64; 1], f64)> {
        let is_far = weight.abs() >= 20.0 * self.past;
        is_far.then(|| {
            let sign = if weight == 0.0 { 0.0 } else { weight.signum() };
            ([weight + self.past * sign], momentum / self.corrections.0)
        })
    }

    /// Whether the gradient had the same sign throughout: m̂² is then near v̂.
    fn is_steady(&self, momentum: f64, second: Option<f64>) -> bool {
        let square = second.map_or(0.0, |second| second / self.corrections.1);
        (momentum / self.corrections.0).powi(2) >= 0.5 * square
    }

    /// Whether a row under this λ has no factor by which it shrinks from step to step, or is long in
    /// reaching it.
    fn swings(&self, lambda: f64) -> bool {
        let most = (1.0 - self.momentum.sqrt()).powi(2);
        self.family == Family::Momentum
            && self.momentum > 0.0
            && self.rate * lambda * self.intake > 0.5 * most
    }

    /// λ from ⟨m, w⟩/⟨w, w⟩, and dλ by it.
    fn lambda(&self, slope: f64) -> (f64, f64) {
        match self.family {
            Family::Momentum => {
                let factor = 1.0 / (1.0 + self.rate * slope);
                let scale = (1.0 - self.momentum) / self.intake;
                (slope * (factor - self.momentum) / self.intake, scale)
            }
            _ => (slope, 1.0),
        }
    }
}

/// What an estimate of a penalty rests on: sentences.
fn remark(across: f64) -> String {
    let gradient = match across > CLEAR {
        true => {
            " These rows have a small gradient of the loss too: what of it may lie along the weights \
             is in the interval."
        }
        false => "",
    };
    format!("The decay is part of the gradient: an L2 penalty.{gradient}")
}

/// A row whose momentum is parallel to its weights.
struct Row {
    /// ⟨m, w⟩/⟨w, w⟩.
    slope: f64,
    /// ⟨w, w⟩.
    square: f64,
    /// The part of the momentum across the weights, beside that along them.
    across: f64,
    elements: usize,
}

/// A row that shows less than this across its weights has no gradient of the loss that matters.
const CLEAR: f64 = 1e-3;

/// The rows that show no gradient of the loss where there are enough of them, else all.
fn clearest(rows: Vec<Row>, fewest: usize) -> Option<Vec<Row>> {
    let is_clear = |row: &Row| row.across < CLEAR;
    let clear = rows.iter().filter(|row| is_clear(row)).count();
    match (clear >= fewest.max(2), rows.len() >= fewest) {
        (true, _) => Some(rows.into_iter().filter(is_clear).collect()),
        (false, true) => Some(rows),
        _ => None,
    }
}

/// The rows whose momentum is parallel to their weights. The tensors are the weights, the momentum
/// and, for Adam, the second moment.
fn parallel_rows(tensors: &[&Tensor], penalty: &Penalty) -> Option<Vec<Row>> {
    let (_, length) = row_layout(tensors.first()?)?;
    let mut found = Vec::new();
    let is_real = side_by_side(tensors, length, |_, blocks| {
        let [weights, momentum, rest @ ..] = blocks else { return };
        let mut row = Equations::<1>::default();
        let mut steady = 0_usize;
        for (at, (&w, &m)) in weights.iter().zip(momentum).enumerate() {
            if let Some((regressor, response)) = penalty.observation(w, m) {
                row.add(regressor, response);
                let second = rest.first().map(|second| second[at]);
                steady += usize::from(penalty.is_steady(m, second));
            }
        }
        let Some(solution) = row.solve() else { return };
        let slope = solution.coefficients[0];
        let is_parallel = slope * slope * row.square(0) >= PARALLEL.powi(2) * row.total;
        if row.count >= SHORTEST_ROW && 2 * steady > row.count && is_parallel && row.total > 0.0 {
            let square = row.square(0);
            let along = slope * slope * square;
            let across = ((row.total - along).max(0.0) / along).sqrt();
            found.push(Row { slope, square, across, elements: row.count });
        }
    });
    is_real.then_some(found)
}
