//! The population that the data of a trial are drawn from.

use faer::Mat;

use super::random::Random;
use super::table::Table;

/// A source of samples to learn from, of fresh rows like them, and of shifted rows.
#[derive(Debug, Clone)]
pub enum Population {
    /// Rows of a real table: the sample is drawn without replacement from `pool`, whose other rows
    /// are fresh.
    Rows {
        /// Rows that may be drawn.
        pool: Table,
        /// Rows unlike them, never drawn.
        shifted: Table,
    },
    /// Drawn from a model.
    Synthetic(Synthetic),
}

/// y = xᵀw + noise, of variance 1 where it is constant. Columns have mean 0 and variance 1; of
/// shifted rows, mean 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Synthetic {
    /// p.
    pub columns: usize,
    /// Correlation of any two columns, in \[0, 1).
    pub correlation: f64,
    /// How the weights come about.
    pub weights: Weights,
    /// How the noise comes about.
    pub noise: Noise,
}

/// Where weights come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Weights {
    /// Each w ~ N(0, σ²), as the prior says.
    Prior(f64),
    /// All equal to this: no draw of a prior of mean 0, and with correlated columns all along the
    /// strongest direction.
    Equal(f64),
    /// One weight, of this size; all others are 0.
    Single(f64),
}

/// What noise is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noise {
    /// N(0, 1).
    Normal,
    /// Student's t with 3 degrees of freedom, divided by √3 so that its variance is 1: outliers.
    Student3,
    /// N(0, (x₁² + ¼)²): most where the first column is far from 0.
    Growing,
}

/// One draw.
pub(super) struct Draw {
    pub(super) sample: Table,
    pub(super) fresh: Table,
    pub(super) shifted: Table,
}

/// Fresh rows of a synthetic population: the error on them is that of the weights to some per cent.
const FRESH_ROWS: usize = 500;

impl Population {
    /// A sample of n rows, and rows to test on; of a table, at most all but one are drawn.
    pub(super) fn draw(&self, n: usize, random: &mut Random) -> Draw {
        match self {
            Population::Rows { pool, shifted } => {
                let order = random.order(pool.rows());
                let (drawn, left) = order.split_at(n.min(pool.rows().saturating_sub(1)));
                Draw { sample: pool.pick(drawn), fresh: pool.pick(left), shifted: shifted.clone() }
            }
            Population::Synthetic(synthetic) => {
                let weights = synthetic.weights(random);
                Draw {
                    sample: synthetic.rows(n, 0.0, &weights, random),
                    fresh: synthetic.rows(FRESH_ROWS, 0.0, &weights, random),
                    shifted: synthetic.rows(FRESH_ROWS, 1.0, &weights, random),
                }
            }
        }
    }
}

impl Synthetic {
    fn weights(&self, random: &mut Random) -> Vec<f64> {
        (0..self.columns)
            .map(|j| match self.weights {
                Weights::Prior(sigma) => sigma * random.normal(),
                Weights::Equal(value) => value,
                Weights::Single(value) => {
                    if j == 0 {
                        value
                    } else {
                        0.0
                    }
                }
            })
            .collect()
    }

    fn rows(&self, n: usize, mean: f64, weights: &[f64], random: &mut Random) -> Table {
        let mut x = Mat::zeros(n, self.columns);
        let mut y = Mat::zeros(n, 1);
        for i in 0..n {
            let common = self.correlation.sqrt() * random.normal();
            for j in 0..self.columns {
                x[(i, j)] = mean + common + (1.0 - self.correlation).sqrt() * random.normal();
            }
            let fitted: f64 = (0..self.columns).map(|j| x[(i, j)] * weights[j]).sum();
            y[(i, 0)] = fitted + self.noise.draw(x[(i, 0)], random);
        }
        Table { x, y }
    }
}

impl Noise {
    fn draw(self, first: f64, random: &mut Random) -> f64 {
        match self {
            Noise::Normal => random.normal(),
            Noise::Student3 => {
                let squares: f64 = (0..3).map(|_| random.normal().powi(2)).sum();
                random.normal() / squares.sqrt()
            }
            Noise::Growing => random.normal() * (first * first + 0.25),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_split_into_what_is_drawn_and_what_is_fresh() {
        let pool = Table {
            x: Mat::from_fn(9, 1, |i, _| i as f64),
            y: Mat::from_fn(9, 1, |i, _| i as f64),
        };
        let population = Population::Rows { shifted: pool.pick(&[0]), pool };
        let draw = population.draw(4, &mut Random::new(1));
        let mut all: Vec<f64> = draw.sample.y.col_as_slice(0).to_vec();
        all.extend_from_slice(draw.fresh.y.col_as_slice(0));
        all.sort_by(f64::total_cmp);
        assert_eq!(all, (0..9).map(f64::from).collect::<Vec<_>>());
        assert_eq!(draw.sample.rows(), 4);
    }

    #[test]
    fn synthetic_rows_have_the_moments_they_promise() {
        let synthetic = Synthetic {
            columns: 2,
            correlation: 0.5,
            weights: Weights::Single(2.0),
            noise: Noise::Normal,
        };
        let mut random = Random::new(3);
        let rows = synthetic.rows(20_000, 1.0, &synthetic.weights(&mut random), &mut random);
        let (a, b) = (rows.x.col_as_slice(0), rows.x.col_as_slice(1));
        let mean = a.iter().sum::<f64>() / 2e4;
        let product = a.iter().zip(b).map(|(a, b)| (a - 1.0) * (b - 1.0)).sum::<f64>() / 2e4;
        assert!((mean - 1.0).abs() < 0.04 && (product - 0.5).abs() < 0.05);
        // Var y = 4 + 1.
        assert!((rows.target_variance() - 5.0).abs() < 0.3);
        let student: f64 =
            (0..20_000).map(|_| Noise::Student3.draw(0.0, &mut random).abs()).sum::<f64>() / 2e4;
        // E|t₃| = 2√3/π, and here divided by √3.
        assert!((student - 2.0 / std::f64::consts::PI).abs() < 0.03, "{student}");
    }
}
