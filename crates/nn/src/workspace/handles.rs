//! How layers name memory: handles, never slices. Only a [`Workspace`](super::Workspace) knows
//! where the numbers are.

use std::ops::Range;

/// A tensor of the model: where it lies in the parameter arena, and in the gradient arena alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) offset: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl Parameter {
    pub(super) fn range(self) -> Range<usize> {
        self.offset..self.offset + self.rows * self.columns
    }
}

/// What a matrix of activations has one row for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Every token of the micro-batch.
    Token,
    /// Every sequence: for images, every image.
    Sequence,
}

/// A matrix of activations.
///
/// `start` counts columns of matrices with a row a token, over all that lie before this one: times
/// the arena's capacity in tokens, it is an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Activation {
    pub(crate) start: usize,
    pub(crate) columns: usize,
    pub(crate) rows: Rows,
}

/// Hands out places in the activation arena.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ActivationPlan {
    /// Columns handed out so far.
    pub(crate) columns: usize,
}

impl ActivationPlan {
    pub(crate) fn take(&mut self, columns: usize) -> Activation {
        let start = self.columns;
        self.columns += columns;
        Activation { start, columns, rows: Rows::Token }
    }

    /// A matrix with such rows. One with a row a sequence of `context` tokens fills that many times
    /// fewer columns.
    pub(crate) fn take_rows(&mut self, rows: Rows, columns: usize, context: usize) -> Activation {
        let filled = match rows {
            Rows::Token => columns,
            Rows::Sequence => columns.div_ceil(context),
        };
        Activation { start: self.take(filled).start, columns, rows }
    }
}

/// A place where dropout may act: every place has its own mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DropoutSite(pub(crate) u64);

/// Weight `[out, in]` and bias of a linear map.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Linear {
    pub(crate) weight: Parameter,
    pub(crate) bias: Option<Parameter>,
}

/// A normalisation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Normalisation {
    pub(crate) gain: Parameter,
    pub(crate) bias: Option<Parameter>,
    /// LayerNorm subtracts the mean, RMSNorm does not.
    pub(crate) centered: bool,
    pub(crate) epsilon: f64,
}

/// RMSNorm of queries and keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadNormalisation {
    pub(crate) query_gain: Parameter,
    pub(crate) key_gain: Parameter,
    pub(crate) epsilon: f64,
}

/// How a branch rejoins the residual stream: stream ← residual + dropout(branch + bias).
#[derive(Debug, Clone, Copy)]
pub(crate) struct BranchEnd {
    pub(crate) bias: Option<Parameter>,
    pub(crate) site: DropoutSite,
}

/// How queries meet keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attention {
    pub(crate) heads: usize,
    /// Does a query see the keys up to its own position only?
    pub(crate) causal: bool,
    /// Mask of the attention probabilities.
    pub(crate) site: DropoutSite,
}

/// The learned rows that are added to patches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PatchEmbedding {
    /// Of the patches' map.
    pub(crate) bias: Parameter,
    /// The first row of every image, if it is no patch.
    pub(crate) class_token: Option<Parameter>,
    /// One row a token.
    pub(crate) position: Parameter,
    pub(crate) site: DropoutSite,
}
