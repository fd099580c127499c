//! Prefixes that wrappers of modules put before names.

/// What `torch.compile`, FSDP and activation checkpointing put anywhere into a name.
const ANYWHERE: [&str; 3] = ["_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."];

/// What data-parallel wrappers put before every name of a model.
const FIRST: &str = "module.";

/// A name without what wrappers put anywhere into it.
pub(crate) fn plain(name: &str) -> String {
    let mut plain = name.to_owned();
    for wrapper in ANYWHERE {
        if plain.contains(wrapper) {
            plain = plain.replace(wrapper, "");
        }
    }
    plain
}

/// Takes `module.` off the names, as often as all of them begin with it: a single module may well
/// be called so.
pub(crate) fn strip_common<'a>(names: impl Iterator<Item = &'a mut String>) {
    let mut names: Vec<&mut String> = names.collect();
    while !names.is_empty() && names.iter().all(|name| name.starts_with(FIRST)) {
        for name in &mut names {
            name.drain(..FIRST.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_leave_no_trace() {
        let name = "module._orig_mod.h.0._checkpoint_wrapped_module.attn._fsdp_wrapped_module.w";
        let mut names = [plain(name), plain("module.module.head")];
        strip_common(names.iter_mut());
        assert_eq!(names, ["h.0.attn.w", "module.head"]);
    }
}
