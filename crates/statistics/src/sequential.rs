//! Looking after every seed, without deceiving oneself.
//!
//! Adding seeds until p < 0.05 finds something where there is nothing: in 14, 18 and 23 studies of a
//! hundred with at most 8, 12 and 20 seeds, looking from the third seed on. Two honest ways, fixed
//! before the first look:
//!
//! | rule | for | threshold |
//! |---|---|---|
//! | [`LookRule::Capped`] | a study with a largest number of seeds | a constant level a look, such that all looks together err 5 times in a hundred |
//! | [`LookRule::Anytime`] | a study without an end | an e-process: stop at E ≥ 20 |
//!
//! Several arms against one baseline share the error: while looking it is divided by their number
//! (Bonferroni); at the end, when all looks are over, Holm's correction takes its place.

use serde::{Deserialize, Serialize};

use crate::interval::interval;
use crate::student::{LEVEL, two_sided_p};

/// Looks begin here: with two seeds a t-test has one degree of freedom.
pub const FIRST_LOOK: u64 = 3;

/// Seeds up to which [`capped_level`] is tabulated.
pub const MOST_CAPPED: u64 = 40;

/// How a study is looked at while it grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookRule {
    /// At most so many seeds, decided before the first look.
    Capped(u64),
    /// No end is decided.
    Anytime,
}

/// What a look at paired differences says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Look {
    /// Pairs seen.
    pub n: usize,
    /// p of the paired t-test, or E of the e-process.
    pub statistic: f64,
    /// What it has to reach: p at most this, E at least this.
    pub threshold: f64,
    /// Is the difference shown? Then no further seed is needed.
    pub is_decided: bool,
    /// Are all seeds that the rule allows used up without a decision?
    pub is_over: bool,
}

/// Looks at paired differences, one of `comparisons` with the same baseline. Values that are not
/// finite are left out.
pub fn look(differences: &[f64], rule: LookRule, comparisons: usize) -> Look {
    let sample = interval(differences);
    let n = sample.n as u64;
    let t = sample.mean / sample.standard_error;
    let may_look = n >= FIRST_LOOK && t.is_finite();
    match rule {
        LookRule::Capped(maximum) => {
            let statistic = match may_look {
                true => two_sided_p(t, n as f64 - 1.0),
                false => f64::NAN,
            };
            let threshold = capped_level(maximum, comparisons);
            let is_decided = n <= maximum && statistic <= threshold;
            Look {
                n: sample.n,
                statistic,
                threshold,
                is_decided,
                is_over: n >= maximum && !is_decided,
            }
        }
        LookRule::Anytime => {
            let statistic = if may_look { e_value(t, n) } else { 1.0 };
            let threshold = comparisons.max(1) as f64 / LEVEL;
            let is_decided = statistic >= threshold;
            Look { n: sample.n, statistic, threshold, is_decided, is_over: false }
        }
    }
}

/// E_n of the right-Haar t-test e-process of a difference of zero against δ = mean/σ ~ N(0, 4), from
/// the t of n pairs:
///
/// E_n = (1 + 4n)^−½ · [(1 + t²/ν) / (1 + t²/(ν(1 + 4n)))]^((ν+1)/2), ν = n − 1.
///
/// Whenever one stops, P(E ≥ 1/α) ≤ α if there is no difference. Source: H. Wang and A. Ramdas,
/// "Anytime-valid t-tests and confidence sequences", arXiv 2310.03722.
pub fn e_value(t: f64, n: u64) -> f64 {
    let (n, freedom) = (n as f64, n as f64 - 1.0);
    let spread = 1.0 + 4.0 * n;
    let ratio = (1.0 + t * t / freedom) / (1.0 + t * t / (freedom * spread));
    ratio.powf((freedom + 1.0) / 2.0) / spread.sqrt()
}

/// The level a look at which a study of at most `maximum` seeds, looked at after every seed from the
/// third on, errs with probability α = 0.05/`comparisons` over all looks, so that all comparisons
/// with one baseline together err at most 5 times in a hundred.
///
/// By simulation: the α-quantile of the smallest p of a million sequences
/// (`tests/golden/capped_levels.py`), between the tabulated α linear in ln α. Above [`MOST_CAPPED`]
/// seeds the last entry is lowered by the ratio of the maxima, which is more than is needed.
pub fn capped_level(maximum: u64, comparisons: usize) -> f64 {
    let alpha = LEVEL / comparisons.max(1) as f64;
    let Some(index) = maximum.checked_sub(FIRST_LOOK) else { return 0.0 };
    let column = |row: &[f64; 38]| match row.get(index as usize) {
        Some(share) => *share,
        None => row[row.len() - 1] * MOST_CAPPED as f64 / maximum as f64,
    };
    let above = ALPHAS.iter().rposition(|tabulated| *tabulated >= alpha).unwrap_or(0);
    let row = above.min(ALPHAS.len() - 2);
    let (upper, lower) = (column(&CAPPED[row]), column(&CAPPED[row + 1]));
    let place = (ALPHAS[row] / alpha).ln() / (ALPHAS[row] / ALPHAS[row + 1]).ln();
    // Beyond the table the share goes on falling as it did, for a factor of four in α.
    (upper + place.min(2.5) * (lower - upper)) * alpha
}

/// The α of each row of [`CAPPED`].
const ALPHAS: [f64; 4] = [0.05, 0.025, 0.0125, 0.005];

/// The level a look as a share of α, for at most 3, 4, …, 40 seeds.
const CAPPED: [[f64; 38]; 4] = [
    [
        1.0, 0.6064, 0.455, 0.3726, 0.3206, 0.2842, 0.2592, 0.239, 0.2224, 0.2096, 0.1984, 0.1896,
        0.1814, 0.1748, 0.1686, 0.1636, 0.1588, 0.1542, 0.1502, 0.1466, 0.143, 0.14, 0.1372,
        0.1346, 0.1322, 0.1302, 0.128, 0.126, 0.124, 0.1222, 0.1204, 0.1186, 0.117, 0.1156, 0.1144,
        0.113, 0.1118, 0.1104,
    ],
    [
        1.0, 0.5762, 0.4256, 0.3456, 0.2956, 0.2624, 0.2378, 0.2198, 0.2048, 0.1926, 0.1818,
        0.1732, 0.1658, 0.1592, 0.1534, 0.1482, 0.1438, 0.1396, 0.136, 0.1326, 0.1294, 0.1266,
        0.124, 0.1214, 0.1192, 0.1172, 0.1152, 0.1134, 0.1114, 0.1096, 0.108, 0.1066, 0.105,
        0.1036, 0.1022, 0.1008, 0.0996, 0.0986,
    ],
    [
        1.0, 0.5612, 0.4068, 0.3294, 0.2802, 0.2498, 0.2238, 0.2038, 0.1904, 0.1782, 0.1682, 0.159,
        0.152, 0.1462, 0.1402, 0.1352, 0.1312, 0.128, 0.1242, 0.121, 0.1176, 0.1148, 0.112, 0.11,
        0.1078, 0.1058, 0.104, 0.1024, 0.1008, 0.0992, 0.0978, 0.0966, 0.0954, 0.0942, 0.0926,
        0.0912, 0.0902, 0.0892,
    ],
    [
        1.0, 0.5462, 0.391, 0.3106, 0.261, 0.2276, 0.2052, 0.1888, 0.1734, 0.1628, 0.1534, 0.1452,
        0.139, 0.1344, 0.129, 0.124, 0.1198, 0.1158, 0.1126, 0.1096, 0.1068, 0.1042, 0.102, 0.1,
        0.0982, 0.0964, 0.0944, 0.093, 0.0912, 0.0902, 0.0886, 0.0876, 0.0866, 0.0854, 0.0842,
        0.083, 0.0822, 0.0812,
    ],
];
