//! A grid of trials, as typed on the command line: `decay.lambda=0,0.1
//! schedule.kind=cosine,constant run.seed=0..3`.
//!
//! | item | meaning |
//! |---|---|
//! | `0.1` | one value |
//! | `a,b,c` | several items |
//! | `0..3` | the whole numbers 0, 1, 2, 3 |
//! | `log(1e-3..1,7)` | 7 values, evenly spaced in the logarithm, both ends included, inner ones rounded to 4 digits |
//!
//! The grid is the product of its axes. Its points come with the seed slowest, so that a sweep that
//! is cut short holds whole sets of paired runs rather than all seeds of one λ.

mod axis;

use crate::LabError;
use crate::record::Roles;
use crate::setting::Setting;
pub use axis::Axis;

/// More trials than this in one grid are taken for a slip of the keyboard.
pub const MOST_TRIALS: usize = 10_000;

/// Several axes, of which the product is taken.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    axes: Vec<Axis>,
}

impl Grid {
    /// Reads one axis from each argument. No argument at all gives the grid of one trial, the base
    /// configuration.
    ///
    /// # Errors
    /// [`LabError::Argument`] for an axis that cannot be read, a key that is given twice, and a
    /// product of more than [`MOST_TRIALS`].
    pub fn parse<T: AsRef<str>>(arguments: &[T]) -> Result<Self, LabError> {
        let mut axes: Vec<Axis> = Vec::new();
        let mut product = 1_usize;
        for argument in arguments {
            let axis: Axis = argument.as_ref().parse()?;
            if axes.iter().any(|other| other.path() == axis.path()) {
                return Err(LabError::Argument {
                    argument: argument.as_ref().to_owned(),
                    problem: format!("`{}` is given twice", axis.key()),
                    fix: format!("give all its values in one list: {}=a,b,c", axis.key()),
                });
            }
            product = product.saturating_mul(axis.count());
            if product > MOST_TRIALS {
                return Err(LabError::Argument {
                    argument: argument.as_ref().to_owned(),
                    problem: format!("the grid has more than {MOST_TRIALS} trials"),
                    fix: "take fewer values or split the study".to_owned(),
                });
            }
            axes.push(axis);
        }
        Ok(Grid { axes })
    }

    /// The axes, in the order given.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// The settings of every trial: the last axis fastest, except that the seed is slowest. Within
    /// a point the settings are in the order of their keys, the seed last, so that the order of the
    /// arguments does not matter.
    pub fn points(&self) -> Vec<Vec<Setting>> {
        let seed = Roles::CONFIGURED.seed;
        let mut order: Vec<&Axis> = self.axes.iter().collect();
        order.sort_by_key(|axis| axis.key() != seed);
        let mut points: Vec<Vec<Setting>> = vec![Vec::new()];
        for axis in order {
            let settings = axis.settings();
            points = points
                .iter()
                .flat_map(|point| {
                    settings.iter().map(move |setting| {
                        let mut longer = point.clone();
                        longer.push(setting.clone());
                        longer
                    })
                })
                .collect();
        }
        for point in &mut points {
            point.sort_by_key(|setting| (setting.key() == seed, setting.key()));
        }
        points
    }
}
