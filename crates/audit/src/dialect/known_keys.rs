//! Keys that trainers have and that nothing is read from, where they look like slips of others.
//!
//! A key that differs by a letter or two from one that is read is called a slip. These are the
//! trainers' own, as their documentation lists them.

/// The keys of each trainer that lie so near to one that is read.
const KNOWN: [(&str, &[&str]); 2] = [
    // Beside `training.global_batch_size`.
    ("torchtitan", &["local_batch_size"]),
    // Beside `scheduler.params.warmup_max_lr`.
    ("DeepSpeed", &["warmup_min_lr"]),
];

/// Whether a key is this trainer's own.
pub(super) fn has(trainer: &str, key: &str) -> bool {
    let mine = KNOWN.iter().filter(|(name, _)| *name == trainer);
    mine.flat_map(|(_, keys)| *keys).any(|known| *known == key)
}
