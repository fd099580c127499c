//! A GPT as a sequence of branches on a residual stream: its tensors, its activations, forward and backward.
//!
//! ```text
//! stream₀ = embedding;   for branch b: stream_{b+1} = stream_b + branch_b(norm_b(stream_b));   loss(head(norm(stream)))
//! ```

use wd_decay::Role;

use crate::device::{
    Activation, ActivationPlan, BranchEnd, Device, DropoutSite, Linear, Normalisation, Parameter,
    Store,
};
use crate::layers::{AttentionBranch, MlpBranch};
use crate::{GptConfig, Norm, ParameterLayout, Position};

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

/// The whole model, without any memory of its own.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    token: Parameter,
    position: Option<Parameter>,
    embedding_site: DropoutSite,
    branches: Vec<Branch>,
    /// One before every branch, and the final one before the head.
    stations: Vec<Station>,
    /// The token embedding itself when the head is tied.
    head: Parameter,

    stream_gradient: Activation,
    /// Of a branch's output: the stream's own gradient unless dropout comes between.
    branch_gradient: Activation,
    normalised_gradient: Activation,
    /// Columns of the activation arena.
    pub(crate) activation_columns: usize,
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

impl Model {
    /// The model of a configuration, and where its tensors lie.
    pub(crate) fn new(config: &GptConfig) -> (Self, ParameterLayout) {
        let GptConfig {
            vocabulary,
            context,
            layers,
            width,
            init_std,
            ..
        } = *config;
        let mut builder = Builder::new(config);
        // The gradients of the whole backward come first: they are the busiest memory.
        let stream_gradient = builder.plan.take(width);
        let branch_gradient = if config.dropout > 0.0 {
            builder.plan.take(width)
        } else {
            stream_gradient
        };
        let normalised_gradient = builder.plan.take(width);
        builder.temporary = builder.plan;
        builder.plan.take(
            AttentionBranch::temporary_columns(config).max(MlpBranch::temporary_columns(config)),
        );

        let token = builder.matrix(
            "embedding.token.weight".into(),
            vocabulary,
            width,
            Role::Embedding,
            init_std,
        );
        let position = (config.position == Position::Learned).then(|| {
            builder.matrix(
                "embedding.position.weight".into(),
                context,
                width,
                Role::Position,
                init_std,
            )
        });
        let embedding_site = builder.dropout_site();
        let (mut branches, mut stations) = (Vec::new(), Vec::new());
        for block in 0..layers {
            stations.push(builder.station(&format!("block.{block}.attention.norm")));
            let path = format!("block.{block}.attention");
            branches.push(Branch::Attention(AttentionBranch::new(&mut builder, &path)));
            stations.push(builder.station(&format!("block.{block}.mlp.norm")));
            branches.push(Branch::Mlp(MlpBranch::new(
                &mut builder,
                &format!("block.{block}.mlp"),
            )));
        }
        stations.push(builder.station("final_norm"));
        let head = if config.tied_head {
            token
        } else {
            builder.matrix(
                "head.weight".into(),
                vocabulary,
                width,
                Role::Head,
                init_std,
            )
        };
        let model = Self {
            token,
            position,
            embedding_site,
            branches,
            stations,
            head,
            stream_gradient,
            branch_gradient,
            normalised_gradient,
            activation_columns: builder.plan.columns,
        };
        (model, builder.layout)
    }

    /// Everything up to the normalised stream before the head.
    fn forward<D: Device>(&self, device: &mut D) {
        let first = &self.stations[0];
        device.embedding_forward(self.token, self.position, first.stream, self.embedding_site);
        device.norm_forward(
            &first.norm,
            None,
            first.stream,
            first.statistics,
            first.normalised,
        );
        for (branch, stations) in self.branches.iter().zip(self.stations.windows(2)) {
            let (before, after) = (&stations[0], &stations[1]);
            branch.forward(device, before.normalised, after.stream);
            let rejoin = Some((before.stream, branch.end()));
            device.norm_forward(
                &after.norm,
                rejoin,
                after.stream,
                after.statistics,
                after.normalised,
            );
        }
    }

    /// Sum of the losses of the device's micro-batch.
    pub(crate) fn loss<D: Device>(&self, device: &mut D) -> f64 {
        self.forward(device);
        device.head_loss(self.head, self.last().normalised)
    }

    /// The same; all gradients are added to the device's.
    pub(crate) fn loss_and_gradient<D: Device>(&self, device: &mut D) -> f64 {
        self.forward(device);
        let loss = device.head_loss_and_gradient(
            self.head,
            self.last().normalised,
            self.normalised_gradient,
        );
        for index in (0..self.stations.len()).rev() {
            let station = &self.stations[index];
            let branch = index.checked_sub(1).map(|before| &self.branches[before]);
            device.norm_backward(
                &station.norm,
                branch.map(|branch| (self.branch_gradient, branch.end())),
                station.stream,
                station.statistics,
                self.normalised_gradient,
                self.stream_gradient,
                if index + 1 == self.stations.len() {
                    Store::Overwrite
                } else {
                    Store::Add
                },
            );
            if let Some(branch) = branch {
                let input = self.stations[index - 1].normalised;
                branch.backward(
                    device,
                    input,
                    self.branch_gradient,
                    self.normalised_gradient,
                );
            }
        }
        device.embedding_backward(
            self.token,
            self.position,
            self.stream_gradient,
            self.embedding_site,
        );
        loss
    }

    fn last(&self) -> &Station {
        &self.stations[self.stations.len() - 1]
    }
}

/// Appends tensors to a layout and activations to a plan.
pub(crate) struct Builder<'a> {
    pub(crate) config: &'a GptConfig,
    pub(crate) layout: ParameterLayout,
    pub(crate) plan: ActivationPlan,
    /// Where activations start that live for one branch's forward or backward only; all branches share the place.
    pub(crate) temporary: ActivationPlan,
    dropout_sites: u64,
}

impl<'a> Builder<'a> {
    fn new(config: &'a GptConfig) -> Self {
        Self {
            config,
            layout: ParameterLayout::default(),
            plan: ActivationPlan::default(),
            temporary: ActivationPlan::default(),
            dropout_sites: 0,
        }
    }

    pub(crate) fn matrix(
        &mut self,
        path: String,
        rows: usize,
        columns: usize,
        role: Role,
        std: f64,
    ) -> Parameter {
        let offset = self.layout.push(path, vec![rows, columns], role, 0.0, std);
        Parameter {
            offset,
            rows,
            columns,
        }
    }

    pub(crate) fn vector(&mut self, path: String, len: usize, role: Role, value: f64) -> Parameter {
        let offset = self.layout.push(path, vec![len], role, value, 0.0);
        Parameter {
            offset,
            rows: 1,
            columns: len,
        }
    }

    pub(crate) fn linear(&mut self, path: &str, outputs: usize, inputs: usize, std: f64) -> Linear {
        let weight = self.matrix(format!("{path}.weight"), outputs, inputs, Role::Matrix, std);
        let bias = self
            .config
            .bias
            .then(|| self.vector(format!("{path}.bias"), outputs, Role::Bias, 0.0));
        Linear { weight, bias }
    }

    fn station(&mut self, path: &str) -> Station {
        let width = self.config.width;
        let centered = self.config.norm == Norm::LayerNorm;
        let gain = self.vector(format!("{path}.weight"), width, Role::Norm, 1.0);
        let has_bias = self.config.bias && centered;
        let bias = has_bias.then(|| self.vector(format!("{path}.bias"), width, Role::Bias, 0.0));
        Station {
            norm: Normalisation {
                gain,
                bias,
                centered,
                epsilon: self.config.norm_epsilon,
            },
            stream: self.plan.take(width),
            statistics: self.plan.take(2),
            normalised: self.plan.take(width),
        }
    }

    /// GPT-2: the residual stream sums 2·layers branches, so each starts √(2·layers) times smaller.
    pub(crate) fn branch_std(&self) -> f64 {
        self.config.init_std / (2.0 * self.config.layers as f64).sqrt()
    }

    pub(crate) fn dropout_site(&mut self) -> DropoutSite {
        self.dropout_sites += 1;
        DropoutSite(self.dropout_sites)
    }
}

impl GptConfig {
    /// Every tensor of the model: path, shape, role, offset, initial distribution.
    ///
    /// Call [`GptConfig::validate`] first: the layout of a configuration that it refuses means nothing.
    pub fn layout(&self) -> ParameterLayout {
        Model::new(self).1
    }
}
