//! The data of a run.

use serde::{Deserialize, Serialize};

/// The prepared text of a run, and how it is split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedText {
    /// Documents in the corpus.
    pub documents: u64,
    /// Tokens in the corpus.
    pub tokens: u64,
    /// Name of the tokenizer.
    pub tokenizer: String,
    /// Number of different tokens.
    pub vocabulary: u64,
    /// Share of the tokens held out, by whole documents.
    pub validation_fraction: f64,
    /// Seed of the split.
    pub split_seed: u64,
}

/// The images of a run: what they are and how their pixels become numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedImages {
    /// Rows, columns and channels of every image.
    pub shape: [usize; 3],
    /// Names of the classes, in the order of their labels.
    pub classes: Vec<String>,
    /// Mean of each channel of the training images, as a share of full brightness: it is
    /// subtracted.
    pub mean: Vec<f32>,
    /// Standard deviation of each channel of the training images: what is left is divided by it.
    pub std: Vec<f32>,
    /// What the shifted test images are; absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shifted: Option<String>,
    /// Share of the training images whose label is wrong on purpose.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub label_noise: f64,
    /// Classes of which no test image is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untested: Vec<String>,
    /// Is the loss a mean squared error, and not the negative log-likelihood?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub squared_error: bool,
}

fn is_zero(share: &f64) -> bool {
    *share == 0.0
}

impl PlannedImages {
    /// Size, number of classes, what is subtracted and divided by, and what the shifted images are.
    pub fn describe(&self) -> String {
        let [height, width, channels] = self.shape;
        let shifted = match &self.shifted {
            Some(shifted) => format!("; shifted: {shifted}"),
            None => String::new(),
        };
        let noise = match self.label_noise {
            0.0 => String::new(),
            share => format!("; {:.0} % of the training labels wrong on purpose", 100.0 * share),
        };
        let untested = match self.untested.as_slice() {
            [] => String::new(),
            classes => format!("; no test image is of the class {}", classes.join(" or ")),
        };
        format!(
            "{height} × {width} × {channels}, {} classes; minus {:.4?}, over \
             {:.4?}{noise}{shifted}{untested}",
            self.classes.len(),
            self.mean,
            self.std
        )
    }
}
