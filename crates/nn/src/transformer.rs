//! The trunk of a transformer as a sequence of branches on a residual stream: its tensors, its
//! activations, forward and backward.
//!
//! ```text
//! for branch b: stream_{b+1} = stream_b + branch_b(norm_b(stream_b));   out = norm(stream)
//! ```

use wd_decay::Role;

use crate::Float;
use crate::builder::Builder;
use crate::kernels::sequence_pool::Pool;
use crate::kernels::store::Store;
use crate::layers::{AttentionBranch, BlockConfig, MlpBranch};
use crate::workspace::{Activation, ActivationPlan, BranchEnd, Normalisation, Rows, Workspace};

/// One of the two branches of a block.
#[derive(Debug, Clone)]
enum Branch {
    Attention(AttentionBranch),
    Mlp(MlpBranch),
}

/// A normalisation, the stream that it reads and what it writes.
#[derive(Debug, Clone, Copy)]
struct Station {
    norm: Normalisation,
    stream: Activation,
    statistics: Activation,
    normalised: Activation,
}

impl Station {
    fn new(builder: &mut Builder, config: &BlockConfig, path: &str, rows: Rows) -> Self {
        let BlockConfig { width, centered, .. } = *config;
        let gain = builder.vector(format!("{path}.weight"), width, Role::Norm, 1.0);
        let has_bias = config.bias && centered;
        let bias = has_bias.then(|| builder.vector(format!("{path}.bias"), width, Role::Bias, 0.0));
        Self {
            norm: Normalisation { gain, bias, centered, epsilon: config.norm_epsilon },
            stream: builder.plan.take_rows(rows, width, config.context),
            statistics: builder.plan.take_rows(rows, 2, config.context),
            normalised: builder.plan.take_rows(rows, width, config.context),
        }
    }
}

/// All blocks and the final norm, without any memory of their own.
#[derive(Debug, Clone)]
pub(crate) struct Transformer {
    branches: Vec<Branch>,
    /// One before every branch, and the final one.
    stations: Vec<Station>,

    gradients: Gradients,
    first_tokens: Option<FirstTokens>,
}

/// What the backward of every station and branch writes.
#[derive(Debug, Clone, Copy)]
struct Gradients {
    stream: Activation,
    /// Of a branch's output: the stream's own gradient unless dropout comes between.
    branch: Activation,
    normalised: Activation,
}

/// The end of the stream where it holds the first token of each sequence alone.
#[derive(Debug, Clone, Copy)]
struct FirstTokens {
    /// What the last attention's output is added to.
    residual: Activation,
    gradients: Gradients,
}

impl Gradients {
    fn new(plan: &mut ActivationPlan, config: &BlockConfig, rows: Rows) -> Self {
        let mut take = || plan.take_rows(rows, config.width, config.context);
        let stream = take();
        let branch = if config.dropout { take() } else { stream };
        Self { stream, branch, normalised: take() }
    }
}

impl Branch {
    fn end(&self) -> BranchEnd {
        match self {
            Self::Attention(branch) => branch.end,
            Self::Mlp(branch) => branch.end,
        }
    }

    fn forward<F: Float>(
        &self,
        workspace: &mut Workspace<'_, F>,
        input: Activation,
        output: Activation,
    ) {
        match self {
            Self::Attention(branch) => branch.forward(workspace, input, output),
            Self::Mlp(branch) => branch.forward(workspace, input, output),
        }
    }

    fn backward<F: Float>(
        &self,
        workspace: &mut Workspace<'_, F>,
        input: Activation,
        output_gradient: Activation,
        input_gradient: Activation,
    ) {
        match self {
            Self::Attention(branch) => {
                branch.backward(workspace, input, output_gradient, input_gradient)
            }
            Self::Mlp(branch) => branch.backward(workspace, input, output_gradient, input_gradient),
        }
    }
}

impl Transformer {
    /// Appends the blocks and the final norm.
    ///
    /// `temporary_columns` is what the rest of the model wants of the place for activations that
    /// live for one branch only: it is free before the first branch and after the last.
    pub(crate) fn new(
        builder: &mut Builder,
        config: &BlockConfig,
        temporary_columns: usize,
    ) -> Self {
        // The gradients of the whole backward come first: they are the busiest memory.
        let gradients = Gradients::new(&mut builder.plan, config, Rows::Token);
        let last_rows = if config.first_token_only { Rows::Sequence } else { Rows::Token };
        let first_tokens = config.first_token_only.then(|| FirstTokens {
            residual: builder.plan.take_rows(last_rows, config.width, config.context),
            gradients: Gradients::new(&mut builder.plan, config, last_rows),
        });
        builder.temporary = builder.plan;
        builder.plan.take(
            AttentionBranch::temporary_columns(config)
                .max(MlpBranch::temporary_columns(config))
                .max(temporary_columns),
        );

        let (mut branches, mut stations) = (Vec::new(), Vec::new());
        for block in 0..config.layers {
            let is_last = block + 1 == config.layers;
            let rows = if is_last { last_rows } else { Rows::Token };
            let path = format!("block.{block}.attention");
            stations.push(Station::new(builder, config, &format!("{path}.norm"), Rows::Token));
            let branch = AttentionBranch::new(builder, config, &path, rows);
            branches.push(Branch::Attention(branch));
            let path = format!("block.{block}.mlp");
            stations.push(Station::new(builder, config, &format!("{path}.norm"), rows));
            branches.push(Branch::Mlp(MlpBranch::new(builder, config, &path, rows)));
        }
        stations.push(Station::new(builder, config, "final_norm", last_rows));
        Self { branches, stations, gradients, first_tokens }
    }

    /// Where the blocks expect their input.
    pub(crate) fn input(&self) -> Activation {
        self.stations[0].stream
    }

    /// Where [`Transformer::backward`] leaves its gradient.
    pub(crate) fn input_gradient(&self) -> Activation {
        self.gradients.stream
    }

    /// The normalised stream after the blocks: a row a token, or a sequence if nobody reads more
    /// than the first.
    pub(crate) fn output(&self) -> Activation {
        self.stations[self.stations.len() - 1].normalised
    }

    /// Where [`Transformer::backward`] expects its gradient.
    pub(crate) fn output_gradient(&self) -> Activation {
        self.gradients_of(self.output()).normalised
    }

    fn gradients_of(&self, stream: Activation) -> Gradients {
        match self.first_tokens {
            Some(first_tokens) if stream.rows == Rows::Sequence => first_tokens.gradients,
            _ => self.gradients,
        }
    }

    /// From the input to the output.
    pub(crate) fn forward<F: Float>(&self, workspace: &mut Workspace<'_, F>) {
        let first = &self.stations[0];
        workspace.norm_forward(&first.norm, None, first.stream, first.statistics, first.normalised);
        for (branch, stations) in self.branches.iter().zip(self.stations.windows(2)) {
            let (before, after) = (&stations[0], &stations[1]);
            branch.forward(workspace, before.normalised, after.stream);
            let residual = match self.first_tokens {
                Some(first_tokens) if before.stream.rows != after.stream.rows => {
                    workspace.pool_forward(Pool::Token, before.stream, first_tokens.residual);
                    first_tokens.residual
                }
                _ => before.stream,
            };
            workspace.norm_forward(
                &after.norm,
                Some((residual, branch.end())),
                after.stream,
                after.statistics,
                after.normalised,
            );
        }
    }

    /// From the output's gradient to the input's; gradients of the parameters are added to the
    /// workspace's.
    pub(crate) fn backward<F: Float>(&self, workspace: &mut Workspace<'_, F>) {
        for index in (0..self.stations.len()).rev() {
            let station = &self.stations[index];
            let gradients = self.gradients_of(station.stream);
            let branch = index.checked_sub(1).map(|before| &self.branches[before]);
            workspace.norm_backward(
                &station.norm,
                branch.map(|branch| (gradients.branch, branch.end())),
                station.stream,
                station.statistics,
                gradients.normalised,
                gradients.stream,
                if index + 1 == self.stations.len() { Store::Overwrite } else { Store::Add },
            );
            if let Some(branch) = branch {
                let before = &self.stations[index - 1];
                let gradients_before = self.gradients_of(before.stream);
                branch.backward(
                    workspace,
                    before.normalised,
                    gradients.branch,
                    gradients_before.normalised,
                );
                if before.stream.rows != station.stream.rows {
                    let stream = gradients_before.stream;
                    workspace.pool_backward(Pool::Token, gradients.stream, stream);
                }
            }
        }
    }
}
