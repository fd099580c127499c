//! The seam between layers and arithmetic: what a device has to be able to do, and how layers name its memory.
//!
//! A layer holds handles, [`Parameter`] and [`Activation`], and never a slice; only a [`Device`] knows where the
//! numbers are. Each operation comes as `forward` and `backward`.

mod arena;
mod cpu;
mod workspaces;

pub(crate) use arena::Arena;
pub(crate) use cpu::{Cpu, MicroBatch, Tables, scratch_len};
pub(crate) use workspaces::Workspaces;

use crate::kernels::activation::Pointwise;
use crate::kernels::patch::PatchShape;
use crate::vision::{ClassLoss, Pool};

/// A tensor of the model: where it lies in the parameter arena, and in the gradient arena alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) offset: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
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
/// `start` counts columns of matrices with a row a token, over all that lie before this one: times the arena's
/// capacity in tokens, it is an offset.
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

    /// A matrix with such rows. One with a row a sequence of `context` tokens fills that many times fewer columns.
    pub(crate) fn take_rows(&mut self, rows: Rows, columns: usize, context: usize) -> Activation {
        let filled = match rows {
            Rows::Token => columns,
            Rows::Sequence => columns.div_ceil(context),
        };
        Activation { start: self.take(filled).start, columns, rows }
    }
}

/// What a result does to the place it goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Overwrite,
    Add,
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

/// The operations of the models. Gradients of parameters are always added to.
pub(crate) trait Device {
    /// output ← dropout(token rows (+ position rows)).
    fn embedding_forward(
        &mut self,
        token: Parameter,
        position: Option<Parameter>,
        output: Activation,
        site: DropoutSite,
    );
    /// Scatters `gradient` into both tables; `gradient` itself is masked in place.
    fn embedding_backward(
        &mut self,
        token: Parameter,
        position: Option<Parameter>,
        gradient: Activation,
        site: DropoutSite,
    );

    /// output ← input·Wᵀ, without the bias.
    fn linear_forward(&mut self, linear: &Linear, input: Activation, output: Activation);
    /// Gradient of W.
    fn linear_backward_weight(
        &mut self,
        linear: &Linear,
        input: Activation,
        output_gradient: Activation,
    );
    /// input_gradient ← output_gradient·W, or is added to.
    fn linear_backward_input(
        &mut self,
        linear: &Linear,
        output_gradient: Activation,
        input_gradient: Activation,
        store: Store,
    );
    /// output += bias, for maps whose bias no other operation adds on its way.
    fn bias_forward(&mut self, bias: Parameter, output: Activation);
    /// Gradient of such a bias.
    fn bias_backward(&mut self, bias: Parameter, output_gradient: Activation);

    /// output ← norm(stream). With a branch, first stream ← residual + dropout(stream + bias).
    fn norm_forward(
        &mut self,
        norm: &Normalisation,
        branch: Option<(Activation, BranchEnd)>,
        stream: Activation,
        statistics: Activation,
        output: Activation,
    );
    /// Gradient of the stream (stored as told), of the norm's parameters, and, with a branch, of the branch's output
    /// and bias. Without dropout the branch's gradient is the stream's and may share its place.
    #[expect(clippy::too_many_arguments, reason = "the operands of one fused operation")]
    fn norm_backward(
        &mut self,
        norm: &Normalisation,
        branch: Option<(Activation, BranchEnd)>,
        stream: Activation,
        statistics: Activation,
        output_gradient: Activation,
        stream_gradient: Activation,
        store: Store,
    );

    /// input += bias; output ← f(input).
    fn pointwise_forward(
        &mut self,
        function: Pointwise,
        bias: Option<Parameter>,
        input: Activation,
        output: Activation,
    );
    /// `gradient`: of the output on entry, of the input on return. `output` is computed again.
    fn pointwise_backward(
        &mut self,
        function: Pointwise,
        bias: Option<Parameter>,
        input: Activation,
        output: Activation,
        gradient: Activation,
    );
    /// gate and up += their biases; output ← silu(gate)·up.
    fn swiglu_forward(
        &mut self,
        biases: Option<[Parameter; 2]>,
        gate: Activation,
        up: Activation,
        output: Activation,
    );
    /// `gradient`: of the output on entry, of `up` on return. `output` is computed again.
    fn swiglu_backward(
        &mut self,
        gate: Activation,
        up: Activation,
        output: Activation,
        gradient: Activation,
        gate_gradient: Activation,
    );

    /// output ← qkv with queries and keys normalised.
    fn head_norm_forward(
        &mut self,
        norm: &HeadNormalisation,
        qkv: Activation,
        statistics: Activation,
        output: Activation,
    );
    /// `gradient`: of the normalised queries and keys on entry, of the raw ones on return.
    fn head_norm_backward(
        &mut self,
        norm: &HeadNormalisation,
        qkv: Activation,
        statistics: Activation,
        gradient: Activation,
    );
    /// Rotates queries and keys in place.
    fn rotary_forward(&mut self, qkv: Activation);
    /// Rotates their gradients back in place.
    fn rotary_backward(&mut self, gradient: Activation);
    /// output ← attention.
    fn attention_forward(
        &mut self,
        attention: Attention,
        qkv: Activation,
        log_sums: Activation,
        output: Activation,
    );
    /// Gradient of queries, keys and values, overwritten.
    fn attention_backward(
        &mut self,
        attention: Attention,
        qkv: Activation,
        log_sums: Activation,
        output: Activation,
        output_gradient: Activation,
        qkv_gradient: Activation,
    );

    /// The sum of the cross-entropies of the targets.
    fn head_loss(&mut self, weight: Parameter, input: Activation) -> f64;
    /// The same, with the gradients of W and of the input.
    fn head_loss_and_gradient(
        &mut self,
        weight: Parameter,
        input: Activation,
        input_gradient: Activation,
    ) -> f64;

    /// output ← dropout(output), which is its own backward.
    fn dropout(&mut self, site: DropoutSite, output: Activation);

    /// output ← the patches of the images, one a row; a row of zeros where the class token goes.
    fn patches_forward(&mut self, patches: PatchShape, output: Activation);
    /// stream ← dropout(stream + position + (class token or bias)).
    fn patch_embedding_forward(&mut self, embedding: &PatchEmbedding, stream: Activation);
    /// Gradients of the learned rows; `gradient` itself is masked in place.
    fn patch_embedding_backward(&mut self, embedding: &PatchEmbedding, gradient: Activation);
    /// output, a row a sequence ← the first token of each, or the mean of all.
    fn pool_forward(&mut self, pool: Pool, input: Activation, output: Activation);
    /// Gradient of all tokens, overwritten.
    fn pool_backward(
        &mut self,
        pool: Pool,
        output_gradient: Activation,
        input_gradient: Activation,
    );
    /// The sum of the losses of the images; `logits` become their gradient.
    fn class_loss(&mut self, loss: ClassLoss, logits: Activation) -> f64;
}
