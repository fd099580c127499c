//! The trunk of a transformer as a sequence of branches on a residual stream: its tensors, its activations, forward
//! and backward.
//!
//! ```text
//! for branch b: stream_{b+1} = stream_b + branch_b(norm_b(stream_b));   out = norm(stream)
//! ```

use wd_decay::Role;

use crate::ParameterLayout;
use crate::device::{
    Activation, ActivationPlan, BranchEnd, Device, DropoutSite, Linear, Normalisation, Parameter,
    Rows, Store,
};
use crate::layers::{AttentionBranch, BlockConfig, MlpBranch};
use crate::vision::Pool;

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

    fn forward<D: Device>(&self, device: &mut D, input: Activation, output: Activation) {
        match self {
            Self::Attention(branch) => branch.forward(device, input, output),
            Self::Mlp(branch) => branch.forward(device, input, output),
        }
    }

    fn backward<D: Device>(
        &self,
        device: &mut D,
        input: Activation,
        output_gradient: Activation,
        input_gradient: Activation,
    ) {
        match self {
            Self::Attention(branch) => {
                branch.backward(device, input, output_gradient, input_gradient)
            }
            Self::Mlp(branch) => branch.backward(device, input, output_gradient, input_gradient),
        }
    }
}

impl Transformer {
    /// Appends the blocks and the final norm.
    ///
    /// `temporary_columns` is what the rest of the model wants of the place for activations that live for one
    /// branch only: it is free before the first branch and after the last.
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
            stations.push(builder.station(config, &format!("{path}.norm"), Rows::Token));
            let branch = AttentionBranch::new(builder, config, &path, rows);
            branches.push(Branch::Attention(branch));
            let path = format!("block.{block}.mlp");
            stations.push(builder.station(config, &format!("{path}.norm"), rows));
            branches.push(Branch::Mlp(MlpBranch::new(builder, config, &path, rows)));
        }
        stations.push(builder.station(config, "final_norm", last_rows));
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

    /// The normalised stream after the blocks: a row a token, or a sequence if nobody reads more than the first.
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
    pub(crate) fn forward<D: Device>(&self, device: &mut D) {
        let first = &self.stations[0];
        device.norm_forward(&first.norm, None, first.stream, first.statistics, first.normalised);
        for (branch, stations) in self.branches.iter().zip(self.stations.windows(2)) {
            let (before, after) = (&stations[0], &stations[1]);
            branch.forward(device, before.normalised, after.stream);
            let residual = match self.first_tokens {
                Some(first_tokens) if before.stream.rows != after.stream.rows => {
                    device.pool_forward(Pool::Token, before.stream, first_tokens.residual);
                    first_tokens.residual
                }
                _ => before.stream,
            };
            device.norm_forward(
                &after.norm,
                Some((residual, branch.end())),
                after.stream,
                after.statistics,
                after.normalised,
            );
        }
    }

    /// From the output's gradient to the input's; gradients of the parameters are added to the device's.
    pub(crate) fn backward<D: Device>(&self, device: &mut D) {
        for index in (0..self.stations.len()).rev() {
            let station = &self.stations[index];
            let gradients = self.gradients_of(station.stream);
            let branch = index.checked_sub(1).map(|before| &self.branches[before]);
            device.norm_backward(
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
                    device,
                    before.normalised,
                    gradients.branch,
                    gradients_before.normalised,
                );
                if before.stream.rows != station.stream.rows {
                    let stream = gradients_before.stream;
                    device.pool_backward(Pool::Token, gradients.stream, stream);
                }
            }
        }
    }
}

/// Appends tensors to a layout and activations to a plan.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    pub(crate) layout: ParameterLayout,
    pub(crate) plan: ActivationPlan,
    /// Where activations start that live for one branch's forward or backward only; all branches share the place.
    pub(crate) temporary: ActivationPlan,
    dropout_sites: u64,
}

impl Builder {
    pub(crate) fn matrix(
        &mut self,
        path: String,
        rows: usize,
        columns: usize,
        role: Role,
        std: f64,
    ) -> Parameter {
        let offset = self.layout.push(path, vec![rows, columns], role, 0.0, std);
        Parameter { offset, rows, columns }
    }

    /// Output channels, input channels, rows and columns of a kernel; as a matrix, one row an output channel.
    pub(crate) fn convolution(&mut self, path: String, shape: [usize; 4], std: f64) -> Parameter {
        let offset = self.layout.push(path, shape.to_vec(), Role::Convolution, 0.0, std);
        Parameter { offset, rows: shape[0], columns: shape[1..].iter().product() }
    }

    pub(crate) fn vector(&mut self, path: String, len: usize, role: Role, value: f64) -> Parameter {
        let offset = self.layout.push(path, vec![len], role, value, 0.0);
        Parameter { offset, rows: 1, columns: len }
    }

    pub(crate) fn linear(
        &mut self,
        path: &str,
        [outputs, inputs]: [usize; 2],
        std: f64,
        bias: bool,
    ) -> Linear {
        let weight = self.matrix(format!("{path}.weight"), outputs, inputs, Role::Matrix, std);
        let bias = bias.then(|| self.vector(format!("{path}.bias"), outputs, Role::Bias, 0.0));
        Linear { weight, bias }
    }

    fn station(&mut self, config: &BlockConfig, path: &str, rows: Rows) -> Station {
        let BlockConfig { width, centered, .. } = *config;
        let gain = self.vector(format!("{path}.weight"), width, Role::Norm, 1.0);
        let has_bias = config.bias && centered;
        let bias = has_bias.then(|| self.vector(format!("{path}.bias"), width, Role::Bias, 0.0));
        Station {
            norm: Normalisation { gain, bias, centered, epsilon: config.norm_epsilon },
            stream: self.plan.take_rows(rows, width, config.context),
            statistics: self.plan.take_rows(rows, 2, config.context),
            normalised: self.plan.take_rows(rows, width, config.context),
        }
    }

    pub(crate) fn dropout_site(&mut self) -> DropoutSite {
        self.dropout_sites += 1;
        DropoutSite(self.dropout_sites)
    }
}
