//! Tensors whose norm is looked at together.

use wd_decay::Role;
use wd_store::Plan;

/// Tensors whose norm is looked at together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    pub(crate) role: Role,
    pub(crate) kind: Option<String>,
    pub(crate) tensors: Vec<usize>,
}

/// The groups of a plan: each role whole, in the order of their first tensors; then, when there are
/// several, each kind of matrix.
pub(crate) fn groups(plan: &Plan) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut put = |role: Role, kind: Option<String>, tensor: usize| match groups
        .iter_mut()
        .find(|group| group.role == role && group.kind == kind)
    {
        Some(group) => group.tensors.push(tensor),
        None => groups.push(Group { role, kind, tensors: vec![tensor] }),
    };
    for (index, tensor) in plan.tensors.iter().enumerate() {
        put(tensor.role, None, index);
    }
    for (index, tensor) in plan.tensors.iter().enumerate() {
        if tensor.role == Role::Matrix {
            put(tensor.role, Some(kind(&tensor.path)), index);
        }
    }
    if groups.iter().filter(|group| group.kind.is_some()).count() < 2 {
        groups.retain(|group| group.kind.is_none());
    }
    groups
}

/// `block.3.attention.qkv.weight` → `attention.qkv`.
fn kind(path: &str) -> String {
    let parts: Vec<&str> = path.split('.').collect();
    let start = match parts.as_slice() {
        [_, number, _, ..] if number.bytes().all(|byte| byte.is_ascii_digit()) => 2,
        _ => 0,
    };
    let end = match parts.last() {
        Some(&"weight") if parts.len() > start + 1 => parts.len() - 1,
        _ => parts.len(),
    };
    parts[start..end].join(".")
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn the_kind_of_a_matrix_is_its_path_without_block_and_weight() {
        assert_eq!(kind("block.3.attention.qkv.weight"), "attention.qkv");
        assert_eq!(kind("block.11.mlp.up.weight"), "mlp.up");
        assert_eq!(kind("projection.weight"), "projection");
        assert_eq!(kind("weight"), "weight");
    }
}
