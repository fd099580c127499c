//! What one checkpoint tells: coupled decay (Q), the spread of rows without gradient (B), the last
//! step (L).

use rayon::prelude::*;

use super::pair::{Held, holdings, whole};
use super::rates::Rates;
use super::window::is_coupled;
use super::{Balance, TensorEstimate, coupled, initial_spread, last_step};
use crate::case::Subject;
use crate::dialect::Declaration;
use crate::names::Kind;
use crate::tensor::Tensor;

/// What is known of the tensors of one checkpoint.
#[derive(Default)]
pub(crate) struct SingleProof {
    pub(crate) estimates: Vec<TensorEstimate>,
    pub(crate) balances: Vec<Balance>,
}

struct Subjected<'a> {
    name: &'a str,
    weights: &'a Tensor,
    held: Held<'a>,
    lambda: Option<f64>,
    is_embedding: bool,
}

/// κ beyond which rows are rather taken to have started smaller than `nn.Embedding`'s.
const FAR: f64 = 0.7;

/// Looks at every tensor of a checkpoint that its optimizer has a state for.
pub(crate) fn prove(
    subject: &Subject,
    given: Option<&Rates>,
    declarations: &[Declaration],
) -> SingleProof {
    let tensors = tensors_with_state(subject);
    let rates = given.and_then(|rates| rates.window(0, whole(subject.checkpoint.step())?));
    let initial = declarations.iter().find_map(|one| one.init_std);
    let told: Vec<(Vec<TensorEstimate>, Option<Balance>)> = tensors
        .par_iter()
        .map(|tensor| {
            let Subjected { name, weights, held, lambda, is_embedding } = tensor;
            let mut estimates = Vec::new();
            estimates.extend(coupled::estimate(name, weights, held, *lambda));
            // `nn.Embedding` starts with 1; other layers with what their width asks for.
            let start = initial.or(is_embedding.then_some(1.0));
            if let Some(start) = start
                && estimates.is_empty()
                && !is_coupled(held, declarations)
            {
                let rates = rates.as_deref();
                let spread = initial_spread::estimate(name, weights, held, start, rates, *lambda);
                // A start that is only assumed is not stretched to rows far from it.
                let is_far = |one: &TensorEstimate| {
                    initial.is_none() && one.shrink.is_none_or(|shrink| shrink.value > FAR)
                };
                estimates.extend(spread.filter(|one| !is_far(one)));
            }
            (estimates, last_step::balance(name, weights, held))
        })
        .collect();
    let mut proof = SingleProof::default();
    for (estimates, balance) in told {
        proof.estimates.extend(estimates);
        proof.balances.extend(balance);
    }
    proof
}

/// The tensors that the optimizer has updated.
fn tensors_with_state(subject: &Subject) -> Vec<Subjected<'_>> {
    let held = holdings(subject);
    let kinds: std::collections::HashMap<&str, (Option<Kind>, Option<f64>)> = subject
        .parameters
        .iter()
        .filter_map(|parameter| {
            Some((parameter.name.as_deref()?, (parameter.kind, parameter.lambda)))
        })
        .collect();
    subject
        .checkpoint
        .model
        .iter()
        .filter_map(|named| {
            let held = *held.get(named.name.as_str())?;
            held.state?;
            let (kind, lambda) = kinds.get(named.name.as_str()).copied().unwrap_or_default();
            Some(Subjected {
                name: &named.name,
                weights: &named.tensor,
                held,
                lambda: lambda.or(held.group.lambda),
                is_embedding: matches!(kind, Some(Kind::Embedding | Kind::Position)),
            })
        })
        .collect()
}
