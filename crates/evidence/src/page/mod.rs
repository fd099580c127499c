//! The report of a linear or generalised linear model whose λ the data have chosen.
//!
//! | file | section |
//! |---|---|
//! | [`choice`] | evidence and errors over λ; what each criterion chooses, and what it costs by the others |
//! | [`weights`] | coefficients along the path; the prior over the histogram of fitted weights; the table |
//! | [`calibration`] | how often intervals and probabilities are right |
//! | [`conventions`] | the same fit in other libraries |

mod calibration;
mod choice;
mod conventions;
mod weights;

use crate::comparison::Comparison;

use wd_page::figure::{Horizontal, Labels, PanelFigure, Point, Transform};
use wd_page::{Context, Page, Section};

/// A fitted model, as its report shows it.
#[derive(Debug, Clone)]
pub struct EvidenceAnalysis {
    /// What is explained.
    pub target: String,
    /// One sentence: which λ, and how sure.
    pub lead: String,
    /// One sentence: of which model and data that holds.
    pub regime: String,
    /// Short facts under the title.
    pub facts: Vec<(String, String)>,
    /// The chosen λ; not finite without a finite one.
    pub lambda: f64,
    /// Its 95 % interval by the curvature of the evidence.
    pub interval: Option<(f64, f64)>,
    /// γ at each λ of the comparison.
    pub effective_parameters: Vec<f64>,
    /// Most parameters that the data can tell apart.
    pub rank: usize,
    /// Error on the training rows at each λ of the comparison; empty where it is not known.
    pub training_errors: Vec<f64>,
    /// The criteria.
    pub comparison: Comparison,
    /// Every coefficient at the chosen λ.
    pub coefficients: Vec<Coefficient>,
    /// Standardised coefficients along the path.
    pub paths: Vec<CoefficientPath>,
    /// σ = 1/√α of the prior on standardised coefficients; more than one with groups.
    pub prior_deviations: Vec<(String, f64)>,
    /// How often intervals or probabilities are right.
    pub calibration: Option<Calibration>,
    /// The fit in other libraries.
    pub conventions: Vec<Convention>,
    /// What became of the columns of the table.
    pub columns: Vec<(String, String)>,
}

/// A coefficient at the chosen λ.
#[derive(Debug, Clone)]
pub struct Coefficient {
    /// Its column.
    pub name: String,
    /// In original units.
    pub value: f64,
    /// Posterior standard deviation in original units; not finite where it is not known.
    pub deviation: f64,
    /// Of the standardised column: what the prior is on.
    pub standardized: f64,
}

/// A standardised coefficient along the path.
#[derive(Debug, Clone)]
pub struct CoefficientPath {
    /// Its column.
    pub name: String,
    /// (λ, coefficient).
    pub points: Vec<(f64, f64)>,
}

/// How often what is predicted comes true.
#[derive(Debug, Clone)]
pub struct Calibration {
    /// On which rows, in words: `rows left out in turn`.
    pub rows: String,
    /// What the points are.
    pub kind: CalibrationKind,
    /// Each level.
    pub points: Vec<CalibrationPoint>,
}

/// What is held against the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalibrationKind {
    /// Intervals of a probability, and the share of rows in them.
    Intervals,
    /// Probabilities of a class, and the share of rows in it.
    Probabilities,
}

/// One level of a calibration.
#[derive(Debug, Clone, Copy)]
pub struct CalibrationPoint {
    /// What was promised.
    pub promised: f64,
    /// What came.
    pub observed: f64,
    /// 95 % interval of the share, from the number of rows.
    pub interval: (f64, f64),
    /// Rows at this level.
    pub count: usize,
}

/// λ as another library counts it.
#[derive(Debug, Clone)]
pub struct Convention {
    /// The library.
    pub library: String,
    /// Its name of λ, with the value.
    pub setting: String,
    /// The call that reproduces the fit.
    pub call: String,
}

impl EvidenceAnalysis {
    /// The fitted model as a page. What is not known (no covariance, no criterion but the evidence) is
    /// left out with a sentence.
    pub fn page(&self, context: &Context) -> Page {
        let mut sections: Vec<Section> = vec![
            choice::section(self, &context.notes),
            weights::section(self),
            calibration::section(self),
            conventions::section(self),
        ];
        sections.extend(context.sections());
        Page {
            kind: "λ from the data",
            title: context.title.clone(),
            lead: self.lead.clone(),
            regime: self.regime.clone(),
            facts: self.facts.clone(),
            sections,
        }
    }
}

/// A point without an interval.
fn point(x: f64, y: f64) -> Point {
    Point { x, y, low: f64::NAN, high: f64::NAN }
}

/// Panels over λ.
fn over_lambda(id: &str, panels: Vec<wd_page::figure::Panel>, labels: Labels) -> PanelFigure {
    PanelFigure {
        id: id.to_owned(),
        title: String::new(),
        description: String::new(),
        horizontal: Horizontal::Quantity {
            label: "λ = α/β on standardised columns".to_owned(),
            transform: Transform::Log,
        },
        panels,
        columns: 1,
        labels,
        dashes: String::new(),
    }
}
