//! Which steps the final weights still hold: the memory of a run.

#[doc = include_str!("../docs/memory.md")]
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Memory {
    /// Share of each step in what the final weights hold of the updates, in order of steps; they
    /// sum to 1.
    pub shares: Vec<f64>,
    /// Σ_t c_t, before they were made to sum to 1: what the final weights hold of an update that is
    /// the same in every step. With decoupled decay λ Σ_t c_t is 1 less the share of the start.
    pub total: f64,
    /// Π_t (1 − s_t): the share of the initial weights that is left.
    pub initial_share: f64,
}

impl Memory {
    /// The memory of a run from the learning rate and the shrink of each step, in their order.
    ///
    /// Absent where no step moves anything, and where a step takes off more than the whole weight:
    /// a share of the past with a changed sign is no share.
    ///
    /// ```
    /// use wd_decay::Memory;
    /// // Two steps that each take half off: the first is remembered half as well.
    /// let memory = Memory::of([(0.1, 0.5); 2].into_iter()).unwrap();
    /// assert!((memory.shares[0] - 1.0 / 3.0).abs() < 1e-12);
    /// assert_eq!(memory.initial_share, 0.25);
    /// ```
    pub fn of(steps: impl DoubleEndedIterator<Item = (f64, f64)>) -> Option<Self> {
        let mut left = 1.0;
        let mut shares = Vec::new();
        for (learning_rate, shrink) in steps.rev() {
            if !(0.0..=1.0).contains(&shrink) {
                return None;
            }
            shares.push(learning_rate * left);
            left *= 1.0 - shrink;
        }
        shares.reverse();
        let total: f64 = shares.iter().sum();
        if !(total.is_finite() && total > 0.0) {
            return None;
        }
        for share in &mut shares {
            *share /= total;
        }
        Some(Memory { shares, total, initial_share: left })
    }

    /// The share of the last steps, `fraction` of the run; a step of which only a part belongs to
    /// them counts for that part.
    pub fn of_the_last(&self, fraction: f64) -> f64 {
        let mut wanted = fraction.clamp(0.0, 1.0) * self.shares.len() as f64;
        let mut sum = 0.0;
        for share in self.shares.iter().rev() {
            if wanted <= 0.0 {
                break;
            }
            sum += wanted.min(1.0) * share;
            wanted -= 1.0;
        }
        sum
    }

    /// 1/(S Σ share²): the part of the run that, if all its steps counted alike, would be averaged
    /// as widely (Kish's effective sample size over the number of steps). 1 where they do.
    pub fn effective_share(&self) -> f64 {
        let squares: f64 = self.shares.iter().map(|share| share * share).sum();
        1.0 / (self.shares.len() as f64 * squares)
    }
}
