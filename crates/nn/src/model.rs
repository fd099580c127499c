//! A GPT: embeddings, the trunk of a transformer, the head.

use wd_decay::Role;

use crate::Float;
use crate::builder::Builder;
use crate::kernels::activation::Pointwise;
use crate::layers::{BlockConfig, Nonlinearity};
use crate::transformer::Transformer;
use crate::workspace::{DropoutSite, Parameter, Workspace};
use crate::{Activation, GptConfig, Norm, ParameterLayout, Position};

/// The whole model, without any memory of its own.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    token: Parameter,
    position: Option<Parameter>,
    embedding_site: DropoutSite,
    trunk: Transformer,
    /// The token embedding itself when the head is tied.
    head: Parameter,
    /// Columns of the activation arena.
    pub(crate) activation_columns: usize,
}

impl Model {
    /// The model of a configuration, and where its tensors lie.
    pub(crate) fn new(config: &GptConfig) -> (Self, ParameterLayout) {
        let GptConfig { vocabulary, context, width, init_std, .. } = *config;
        let mut builder = Builder::default();
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
        let trunk = Transformer::new(&mut builder, &config.blocks(), 0);
        let head = if config.tied_head {
            token
        } else {
            builder.matrix("head.weight".into(), vocabulary, width, Role::Head, init_std)
        };
        let model = Self {
            token,
            position,
            embedding_site,
            trunk,
            head,
            activation_columns: builder.plan.columns,
        };
        (model, builder.layout)
    }

    /// Everything up to the normalised stream before the head.
    fn forward<F: Float>(&self, workspace: &mut Workspace<'_, F>) {
        let stream = self.trunk.input();
        workspace.embedding_forward(self.token, self.position, stream, self.embedding_site);
        self.trunk.forward(workspace);
    }

    /// Sum of the losses of the workspace's micro-batch.
    pub(crate) fn loss<F: Float>(&self, workspace: &mut Workspace<'_, F>) -> f64 {
        self.forward(workspace);
        workspace.head_loss(self.head, self.trunk.output())
    }

    /// The logits of what follows the token at `position` of the only sequence.
    pub(crate) fn logits<F: Float>(
        &self,
        workspace: &mut Workspace<'_, F>,
        position: usize,
        logits: &mut [F],
    ) {
        self.forward(workspace);
        workspace.head_logits(self.head, self.trunk.output(), position, logits);
    }

    /// The sum of the losses; all gradients are added to the workspace's.
    pub(crate) fn loss_and_gradient<F: Float>(&self, workspace: &mut Workspace<'_, F>) -> f64 {
        self.forward(workspace);
        let (output, gradient) = (self.trunk.output(), self.trunk.output_gradient());
        let loss = workspace.head_loss_and_gradient(self.head, output, gradient);
        self.trunk.backward(workspace);
        workspace.embedding_backward(
            self.token,
            self.position,
            self.trunk.input_gradient(),
            self.embedding_site,
        );
        loss
    }
}

impl GptConfig {
    fn blocks(&self) -> BlockConfig {
        BlockConfig {
            context: self.context,
            first_token_only: false,
            layers: self.layers,
            width: self.width,
            heads: self.heads,
            hidden: self.hidden(),
            causal: true,
            rotary: self.position == Position::Rope,
            qk_norm: self.qk_norm,
            centered: self.norm == Norm::LayerNorm,
            norm_epsilon: self.norm_epsilon,
            nonlinearity: match self.activation {
                Activation::Gelu => Nonlinearity::Pointwise(Pointwise::GeluTanh),
                Activation::SwiGlu => Nonlinearity::SwiGlu,
            },
            qkv_bias: self.bias,
            bias: self.bias,
            dropout: self.dropout > 0.0,
            std: self.init_std,
            // GPT-2: the residual stream sums 2·layers branches, so each starts √(2·layers) times
            // smaller.
            branch_std: self.init_std / (2.0 * self.layers as f64).sqrt(),
        }
    }

    /// Every tensor of the model: path, shape, role, offset, initial distribution.
    ///
    /// Call [`GptConfig::validate`] first: the layout of a configuration that it refuses means
    /// nothing.
    pub fn layout(&self) -> ParameterLayout {
        Model::new(self).1
    }
}
