//! A tensor's name, part by part.

/// What wrappers of modules put into names; the names of the model are those without.
const WRAPPERS: [&str; 4] =
    ["module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"];

/// A name as modules joined by dots (or slashes), in small letters.
pub(crate) struct Path<'a> {
    written: &'a str,
    small: String,
}

impl<'a> Path<'a> {
    pub(crate) fn new(name: &'a str) -> Self {
        Path { written: name, small: name.to_ascii_lowercase() }
    }

    /// All parts, from the outermost module to the tensor.
    pub(crate) fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.small.split(['.', '/'])
    }

    /// The tensor within its module: `weight`.
    pub(crate) fn last(&self) -> &str {
        self.parts().next_back().unwrap_or_default()
    }

    /// The same with its capitals: `D`.
    pub(crate) fn last_as_written(&self) -> &str {
        self.written.rsplit(['.', '/']).next().unwrap_or_default()
    }

    /// The module that holds the tensor, or nothing.
    pub(crate) fn module(&self) -> &str {
        self.parts().rev().nth(1).unwrap_or_default()
    }

    /// The module that holds the module, or nothing.
    pub(crate) fn parent(&self) -> &str {
        self.parts().rev().nth(2).unwrap_or_default()
    }

    /// Whether the name ends with these parts.
    pub(crate) fn ends_with(&self, parts: &[&str]) -> bool {
        let mut own = self.parts().rev();
        parts.iter().rev().all(|part| own.next() == Some(part))
    }
}

/// The name without what `DistributedDataParallel`, `torch.compile`, FSDP and activation
/// checkpointing add to it. A leading `module.` is a wrapper, one further in is a module's name.
pub fn without_wrappers(name: &str) -> String {
    let mut kept = Vec::new();
    for part in name.split('.') {
        let is_wrapper = match part {
            "module" => kept.is_empty(),
            part => WRAPPERS.contains(&part),
        };
        if !is_wrapper {
            kept.push(part);
        }
    }
    kept.join(".")
}
