//! How large images and sets may be.

/// The greatest side accepted.
pub(super) const MOST_SIDE: usize = 1024;

/// The most bytes of pixels: sets are kept in memory. ImageNet at 32 × 32 is 3.9 GB.
pub(super) const MOST_PIXELS: u64 = 1 << 32;

/// What is said of a set beyond [`MOST_PIXELS`].
pub(super) const TOO_LARGE: &str = "with it the set exceeds 4 GiB of pixels, the most that is kept \
     in memory; use fewer or smaller images";
