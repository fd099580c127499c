//! Attention branch: one map to queries, keys and values, attention, one map back.

use wd_decay::Role;

use super::BlockConfig;
use crate::Float;
use crate::builder::Builder;
use crate::kernels::sequence_pool::Pool;
use crate::kernels::store::Store;
use crate::workspace::{
    Activation, Attention, BranchEnd, HeadNormalisation, Linear, Rows, Workspace,
};

/// QK-norm and where its results are kept.
#[derive(Debug, Clone, Copy)]
struct HeadNorm {
    norm: HeadNormalisation,
    statistics: Activation,
    /// Normalised queries and keys beside the values; `qkv` keeps the raw ones.
    normalised: Activation,
}

/// The first rows of the sequences, where nothing else is projected.
#[derive(Debug, Clone, Copy)]
struct FirstTokens {
    attended: Activation,
    attended_gradient: Activation,
}

/// branch(x) = projection(attention(qkv(x))).
#[derive(Debug, Clone)]
pub(crate) struct AttentionBranch {
    attention: Attention,
    rotary: bool,
    qkv: Linear,
    head_norm: Option<HeadNorm>,
    projection: Linear,
    pub(crate) end: BranchEnd,

    qkv_output: Activation,
    log_sums: Activation,
    attended: Activation,
    first_tokens: Option<FirstTokens>,
    // Of the backward alone.
    qkv_gradient: Activation,
    attended_gradient: Activation,
}

impl AttentionBranch {
    /// Columns of activations that need not outlive the branch's backward.
    pub(crate) fn temporary_columns(config: &BlockConfig) -> usize {
        4 * config.width
    }

    /// Appends the branch's tensors under `path`; `rows` is what its output has.
    pub(crate) fn new(builder: &mut Builder, config: &BlockConfig, path: &str, rows: Rows) -> Self {
        let BlockConfig { width, heads, qk_norm, norm_epsilon, .. } = *config;
        let head_width = width / heads;
        let qkv =
            builder.linear(&format!("{path}.qkv"), [3 * width, width], config.std, config.qkv_bias);
        let qkv_output = builder.plan.take(3 * width);
        let head_norm = qk_norm.then(|| {
            let query_gain =
                builder.vector(format!("{path}.query_norm.weight"), head_width, Role::Norm, 1.0);
            let key_gain =
                builder.vector(format!("{path}.key_norm.weight"), head_width, Role::Norm, 1.0);
            HeadNorm {
                norm: HeadNormalisation { query_gain, key_gain, epsilon: norm_epsilon },
                statistics: builder.plan.take(2 * heads),
                normalised: builder.plan.take(3 * width),
            }
        });
        let projection = builder.linear(
            &format!("{path}.projection"),
            [width, width],
            config.branch_std,
            config.bias,
        );
        let mut temporary = builder.temporary;
        let first_tokens = (rows == Rows::Sequence).then(|| FirstTokens {
            attended: builder.plan.take_rows(rows, width, config.context),
            attended_gradient: builder.plan.take_rows(rows, width, config.context),
        });
        Self {
            attention: Attention { heads, causal: config.causal, site: builder.dropout_site() },
            rotary: config.rotary,
            qkv,
            head_norm,
            projection,
            end: BranchEnd { bias: projection.bias, site: builder.dropout_site() },
            qkv_output,
            log_sums: builder.plan.take(heads),
            attended: builder.plan.take(width),
            first_tokens,
            qkv_gradient: temporary.take(3 * width),
            attended_gradient: temporary.take(width),
        }
    }

    /// What attention reads: normalised if they are, else straight from the map.
    fn attention_input(&self) -> Activation {
        self.head_norm.map_or(self.qkv_output, |head_norm| head_norm.normalised)
    }

    /// output ← branch(input), without the projection's bias.
    pub(crate) fn forward<F: Float>(
        &self,
        workspace: &mut Workspace<'_, F>,
        input: Activation,
        output: Activation,
    ) {
        workspace.linear_forward(&self.qkv, input, self.qkv_output);
        if let Some(bias) = self.qkv.bias {
            workspace.bias_forward(bias, self.qkv_output);
        }
        if let Some(HeadNorm { norm, statistics, normalised }) = &self.head_norm {
            workspace.head_norm_forward(norm, self.qkv_output, *statistics, *normalised);
        }
        let qkv = self.attention_input();
        if self.rotary {
            workspace.rotary_forward(qkv);
        }
        workspace.attention_forward(self.attention, qkv, self.log_sums, self.attended);
        let attended = match self.first_tokens {
            None => self.attended,
            Some(first) => {
                workspace.pool_forward(Pool::Token, self.attended, first.attended);
                first.attended
            }
        };
        workspace.linear_forward(&self.projection, attended, output);
    }

    /// Gradients of the branch's tensors (but the projection's bias) and of its input.
    pub(crate) fn backward<F: Float>(
        &self,
        workspace: &mut Workspace<'_, F>,
        input: Activation,
        output_gradient: Activation,
        input_gradient: Activation,
    ) {
        let Self { qkv_gradient, attended, attended_gradient, .. } = *self;
        let (projected, gradient) = match self.first_tokens {
            None => (attended, attended_gradient),
            Some(first) => (first.attended, first.attended_gradient),
        };
        let projection = &self.projection;
        workspace.linear_backward_weight(projection, projected, output_gradient);
        workspace.linear_backward_input(projection, output_gradient, gradient, Store::Overwrite);
        if self.first_tokens.is_some() {
            workspace.pool_backward(Pool::Token, gradient, attended_gradient);
        }
        workspace.attention_backward(
            self.attention,
            self.attention_input(),
            self.log_sums,
            attended,
            attended_gradient,
            qkv_gradient,
        );
        if self.rotary {
            workspace.rotary_backward(qkv_gradient);
        }
        if let Some(HeadNorm { norm, statistics, .. }) = &self.head_norm {
            workspace.head_norm_backward(norm, self.qkv_output, *statistics, qkv_gradient);
        }
        if let Some(bias) = self.qkv.bias {
            workspace.bias_backward(bias, qkv_gradient);
        }
        workspace.linear_backward_weight(&self.qkv, input, qkv_gradient);
        workspace.linear_backward_input(&self.qkv, qkv_gradient, input_gradient, Store::Overwrite);
    }
}
