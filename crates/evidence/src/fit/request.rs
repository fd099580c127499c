//! What a fit is asked for.

use wd_data::table::DesignOptions;

use super::criteria::Criteria;
use super::error::FitError;
use super::family::Family;
use super::groups::Groups;
use crate::columns::{Intercept, Options, Weights};

/// What a fit is asked for: plain data.
#[derive(Debug, Clone)]
pub struct Request {
    /// What the columns are, the targets among them; `classes` follows from the family.
    pub table: DesignOptions,
    /// What the target is. Default: gaussian.
    pub family: Family,
    /// Criteria beside the evidence. Default: GCV for gaussian, else none.
    pub compare: Option<Criteria>,
    /// Which columns share a prior precision, in the Gaussian family. Default: all.
    pub groups: Groups,
    /// What the weights of rows mean. Default: repeats, which every family knows.
    pub weights: Weights,
    /// Whether columns are divided by their standard deviation. Default: `true`.
    pub standardize: bool,
    /// The intercept. Default: profiled; integrated with as many columns as rows.
    pub intercept: Option<Intercept>,
    /// Values of λ along the path, 3 to 100,000. Default: 200 for gaussian, else 40.
    pub points: Option<usize>,
    /// Deals rows to the folds of cross-validation. Default: 0.
    pub seed: u64,
    /// Whether calibration and paths of coefficients are computed, which take another pass and
    /// only a page shows. Default: `true`.
    pub figures: bool,
}

impl Request {
    /// A Gaussian fit of one target to all other columns.
    pub fn new(target: impl Into<String>) -> Request {
        Request {
            table: DesignOptions { targets: vec![target.into()], ..DesignOptions::default() },
            family: Family::default(),
            compare: None,
            groups: Groups::default(),
            weights: Weights::Repeats,
            standardize: true,
            intercept: None,
            points: None,
            seed: 0,
            figures: true,
        }
    }

    /// Refuses what no table could answer.
    pub(super) fn check(&self) -> Result<(), FitError> {
        let (family, targets) = (self.family, &self.table.targets);
        if targets.len() > 1 && family != Family::Gaussian {
            return Err(FitError::option(
                "target",
                targets.join(","),
                "several targets go together only in the gaussian family",
                "name one target",
            ));
        }
        if self.groups != Groups::One && family != Family::Gaussian {
            return Err(FitError::option(
                "groups",
                self.groups.word(),
                "groups work in the gaussian family",
                "leave them out, or use the family gaussian",
            ));
        }
        if let (Some(offset), Family::Gaussian | Family::Logistic | Family::Softmax) =
            (&self.table.offset, family)
        {
            return Err(FitError::option(
                "offset",
                offset,
                "an exposure makes a rate of a count, and belongs to the poisson family",
                "leave it out, or use the family poisson",
            ));
        }
        if let (Some(weights), Weights::Precision) = (&self.table.weights, self.weights)
            && family != Family::Gaussian
        {
            return Err(FitError::option(
                "weights",
                format!("{weights}:precision"),
                "only the noise of the gaussian family has a precision",
                "say repeats: a row of weight 2 is then two rows",
            ));
        }
        if !(3..=100_000).contains(&self.points()) {
            let points = self.points().to_string();
            return Err(FitError::option(
                "points",
                points,
                "this makes no path",
                "give 3 to 100000",
            ));
        }
        self.criteria().check(family)
    }

    /// The criteria that are compared.
    pub(super) fn criteria(&self) -> Criteria {
        self.compare.clone().unwrap_or_else(|| Criteria::of_family(self.family))
    }

    /// Values of λ along the path.
    pub(super) fn points(&self) -> usize {
        self.points.unwrap_or(match self.family {
            Family::Gaussian => 200,
            Family::Logistic | Family::Softmax | Family::Poisson => 40,
        })
    }

    /// What the columns are, with what the family says of the target.
    pub(super) fn design_options(&self) -> DesignOptions {
        DesignOptions { classes: self.family.has_classes(), ..self.table.clone() }
    }

    /// How columns enter a fit of `columns` columns to `rows` rows.
    pub(super) fn options(&self, rows: u64, columns: usize) -> Options {
        let intercept = self.intercept.unwrap_or(match columns as u64 + 1 >= rows {
            // With as many columns as rows a profiled intercept makes the evidence unbounded.
            true => Intercept::Integrated,
            false => Intercept::Profiled,
        });
        Options { intercept, standardize: self.standardize, weights: self.weights }
    }
}
