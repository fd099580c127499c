//! What a classifier should answer, and how far it is from that.

use serde::{Deserialize, Serialize};

use crate::{NnError, error};

/// Label of each image, or a mixture of two (mixup).
///
/// The target distribution of image i is q_i = share_i·onehot(first_i) + (1 −
/// share_i)·onehot(second_i); a share of 1 makes `first` certain. All three slices have one element
/// an image.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Targets<'a> {
    /// First class of each image.
    pub first: &'a [u32],
    /// Second class of each image.
    pub second: &'a [u32],
    /// Weight of the first class, 0 to 1.
    pub share: &'a [f32],
}

impl<'a> Targets<'a> {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.first.len()
    }

    /// Are there no images?
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The targets of images `range`.
    pub(crate) fn slice(&self, range: std::ops::Range<usize>) -> Targets<'a> {
        Targets {
            first: &self.first[range.clone()],
            second: &self.second[range.clone()],
            share: &self.share[range],
        }
    }

    /// Refuses slices of other lengths than `images`, classes beyond `classes` and shares beyond 0
    /// to 1.
    pub(crate) fn check(&self, images: usize, classes: usize) -> Result<(), NnError> {
        error::check_length("targets.first", self.first.len(), images)?;
        error::check_length("targets.second", self.second.len(), images)?;
        error::check_length("targets.share", self.share.len(), images)?;
        for (what, labels) in [("targets.first", self.first), ("targets.second", self.second)] {
            if let Some(index) = labels.iter().position(|label| *label as usize >= classes) {
                return Err(NnError::Label { what, index, label: labels[index], classes });
            }
        }
        let is_share = |share: &f32| (0.0..=1.0).contains(share);
        match self.share.iter().position(|share| !is_share(share)) {
            Some(index) => Err(NnError::Share { index, share: self.share[index] }),
            None => Ok(()),
        }
    }
}

/// Distance of logits z `[images, classes]` from the targets' distributions q, the mean over the
/// images of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassLoss {
    /// −Σ_k q̃_k ln softmax(z)_k with q̃ = (1 − ε)q + ε/K, ε being the label smoothing, as
    /// `torch.nn.CrossEntropyLoss(label_smoothing=ε)` (Szegedy et al., "Rethinking the Inception
    /// architecture", 1512.00567, section 7).
    #[default]
    CrossEntropy,
    /// (1/K) Σ_k (z_k − q_k)², as `torch.nn.MSELoss` between logits and one-hot targets: its mean
    /// goes over classes too.
    MeanSquaredError,
}

impl ClassLoss {
    pub(crate) fn validate(self, label_smoothing: Option<f64>) -> Result<(), NnError> {
        let Some(smoothing) = label_smoothing else { return Ok(()) };
        let requirement = match self {
            Self::MeanSquaredError => "the squared error has no label smoothing",
            Self::CrossEntropy if !(0.0..1.0).contains(&smoothing) => {
                "it has to be at least 0 and below 1"
            }
            Self::CrossEntropy => return Ok(()),
        };
        Err(NnError::configuration("label_smoothing", smoothing, requirement))
    }
}
