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

/// A tensor of the model: where it lies in the parameter arena, and in the gradient arena alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) offset: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

/// A matrix of activations with one row a token of the micro-batch.
///
/// `start` counts columns, over all matrices before this one: times the arena's capacity in rows, it is an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Activation {
    pub(crate) start: usize,
    pub(crate) columns: usize,
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
        Activation { start, columns }
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

/// The operations of a GPT. Gradients of parameters are always added to.
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
    #[expect(
        clippy::too_many_arguments,
        reason = "the operands of one fused operation"
    )]
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

    /// input += bias; output ← GELU(input).
    fn gelu_forward(&mut self, bias: Option<Parameter>, input: Activation, output: Activation);
    /// `gradient`: of the output on entry, of the input on return. `output` is computed again.
    fn gelu_backward(
        &mut self,
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
    /// output ← causal attention.
    fn attention_forward(
        &mut self,
        heads: usize,
        qkv: Activation,
        log_sums: Activation,
        output: Activation,
        site: DropoutSite,
    );
    /// Gradient of queries, keys and values, overwritten.
    #[expect(clippy::too_many_arguments, reason = "the operands of one operation")]
    fn attention_backward(
        &mut self,
        heads: usize,
        qkv: Activation,
        log_sums: Activation,
        output: Activation,
        output_gradient: Activation,
        qkv_gradient: Activation,
        site: DropoutSite,
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
}
