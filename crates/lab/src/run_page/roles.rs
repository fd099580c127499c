//! The tensors of a run by their role.

use wd_decay::Role;
use wd_store::{Plan, PlannedTensor};

/// The roles of a plan in the order of their first tensors, each with its tensors.
pub(crate) fn roles(plan: &Plan) -> Vec<(Role, Vec<&PlannedTensor>)> {
    let mut roles: Vec<(Role, Vec<&PlannedTensor>)> = Vec::new();
    for tensor in &plan.tensors {
        match roles.iter_mut().find(|(role, _)| *role == tensor.role) {
            Some((_, tensors)) => tensors.push(tensor),
            None => roles.push((tensor.role, vec![tensor])),
        }
    }
    roles
}
