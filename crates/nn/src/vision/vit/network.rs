//! A ViT: patches, learned rows, the trunk of a transformer, the pool, the head.

use wd_decay::Role;

use super::config::{VitActivation, VitConfig};
use crate::Float;
use crate::builder::Builder;
use crate::kernels::activation::Pointwise;
use crate::kernels::attention::AttentionShape;
use crate::kernels::patch::PatchShape;
use crate::kernels::sequence_pool::Pool;
use crate::layers::{BlockConfig, Nonlinearity};
use crate::transformer::Transformer;
use crate::vision::network::{Classifier, NetworkSizes};
use crate::workspace::{Activation, Linear, PatchEmbedding, Rows, Workspace};

/// timm's and DeiT's initial standard deviation of maps, head and positions. Their normal is called
/// truncated, but at ±2, a hundred standard deviations (`trunc_normal_(std=.02)` of timm 1.0.31,
/// `init_weights_vit_timm`).
const INITIAL_STD: f64 = 0.02;
/// Of the class token (timm 1.0.31, `VisionTransformer.init_weights`).
const CLASS_TOKEN_STD: f64 = 1e-6;

/// The whole model, without any memory of its own.
#[derive(Debug, Clone)]
pub(crate) struct VitNetwork {
    patches: PatchShape,
    /// Its bias is one of the learned rows.
    patch: Linear,
    embedding: PatchEmbedding,
    trunk: Transformer,
    /// The mean over the patches, and its gradient; a class token needs none.
    mean: Option<(Activation, Activation)>,
    classifier: Classifier,

    /// An image's patches: gathered again for the backward.
    patch_rows: Activation,
}

impl VitNetwork {
    /// Appends the model's tensors.
    pub(crate) fn new(builder: &mut Builder, config: &VitConfig) -> (Self, NetworkSizes) {
        let (patches, width, tokens) = (config.patch_shape(), config.width, config.tokens());
        // What torch.nn.Conv2d's initial uniform numbers, ±1/√inputs, have for a variance.
        let patch_std = 1.0 / (3.0 * patches.columns() as f64).sqrt();
        let weight = builder.convolution(
            "embedding.patch.weight".into(),
            [width, config.image.channels, patches.height, patches.width],
            patch_std,
        );
        let bias = builder.vector("embedding.patch.bias".into(), width, Role::Bias, 0.0);
        let class_token = patches.class_token.then(|| {
            let path = "embedding.class_token".into();
            builder.matrix(path, 1, width, Role::ClassToken, CLASS_TOKEN_STD)
        });
        let path = "embedding.position.weight".into();
        let position = builder.matrix(path, tokens, width, Role::Position, INITIAL_STD);
        let embedding =
            PatchEmbedding { bias, class_token, position, site: builder.dropout_site() };
        // Patches are gone when the pool's results come, and have no use for those.
        let pooled_columns = 2 * width.div_ceil(tokens) + config.classes.div_ceil(tokens);
        let temporary_columns = patches.columns().max(pooled_columns);
        let trunk = Transformer::new(builder, &config.blocks(), temporary_columns);
        let patch_rows = { builder.temporary }.take(patches.columns());
        let mut temporary = builder.temporary;
        let mut per_image = |columns| temporary.take_rows(Rows::Sequence, columns, tokens);
        let logits = per_image(config.classes);
        let mean = (config.pool == Pool::Mean).then(|| (per_image(width), per_image(width)));
        let pooled = mean.map_or(trunk.output(), |(pooled, _)| pooled);
        let network = Self {
            patches,
            patch: Linear { weight, bias: None },
            embedding,
            trunk,
            mean,
            classifier: Classifier::new(builder, pooled, logits, INITIAL_STD),
            patch_rows,
        };
        let attention = AttentionShape {
            sequences: 1,
            context: tokens,
            heads: config.heads,
            head_width: width / config.heads,
            first_sequence: 0,
            causal: false,
        };
        let sizes = NetworkSizes {
            tokens,
            activation_columns: builder.plan.columns,
            scratch: attention.scratch_len(),
        };
        (network, sizes)
    }

    /// From the images to the logits.
    pub(crate) fn forward<F: Float>(&self, workspace: &mut Workspace<'_, F>) {
        let stream = self.trunk.input();
        workspace.patches_forward(self.patches, self.patch_rows);
        workspace.linear_forward(&self.patch, self.patch_rows, stream);
        workspace.patch_embedding_forward(&self.embedding, stream);
        self.trunk.forward(workspace);
        if let Some((pooled, _)) = self.mean {
            workspace.pool_forward(Pool::Mean, self.trunk.output(), pooled);
        }
        self.classifier.forward(workspace);
    }

    /// From the logits' gradient to that of every parameter.
    pub(crate) fn backward<F: Float>(&self, workspace: &mut Workspace<'_, F>) {
        let gradient = self.trunk.output_gradient();
        match self.mean {
            None => self.classifier.backward(workspace, Some(gradient)),
            Some((_, pooled_gradient)) => {
                self.classifier.backward(workspace, Some(pooled_gradient));
                workspace.pool_backward(Pool::Mean, pooled_gradient, gradient);
            }
        }
        self.trunk.backward(workspace);
        let gradient = self.trunk.input_gradient();
        workspace.patch_embedding_backward(&self.embedding, gradient);
        workspace.patches_forward(self.patches, self.patch_rows);
        workspace.linear_backward_weight(&self.patch, self.patch_rows, gradient);
    }

    pub(crate) fn logits(&self) -> Activation {
        self.classifier.logits
    }
}

impl VitConfig {
    fn patch_shape(&self) -> PatchShape {
        PatchShape {
            image: self.image,
            height: self.patch,
            width: self.patch,
            class_token: self.pool == Pool::Token,
        }
    }

    fn blocks(&self) -> BlockConfig {
        let function = match self.activation {
            VitActivation::Gelu => Pointwise::Gelu,
            VitActivation::GeluTanh => Pointwise::GeluTanh,
        };
        BlockConfig {
            context: self.tokens(),
            first_token_only: self.pool == Pool::Token,
            layers: self.layers,
            width: self.width,
            heads: self.heads,
            hidden: self.hidden(),
            causal: false,
            rotary: false,
            qk_norm: false,
            centered: true,
            norm_epsilon: self.norm_epsilon,
            nonlinearity: Nonlinearity::Pointwise(function),
            qkv_bias: self.qkv_bias,
            bias: true,
            dropout: self.dropout > 0.0,
            std: INITIAL_STD,
            branch_std: INITIAL_STD,
        }
    }

    /// What the network is by its definition, though of the last block's maps it computes the class
    /// token's alone: six operations a weight and token, four in the patches' map (images need no
    /// gradient), and twelve per column of the stream for every pair of tokens and layer.
    pub(crate) fn flops_per_image(&self) -> f64 {
        let [tokens, patches, layers, width, hidden, classes, inputs] = [
            self.tokens(),
            self.patches(),
            self.layers,
            self.width,
            self.hidden(),
            self.classes,
            self.patch_shape().columns(),
        ]
        .map(|size| size as f64);
        let block = 6.0 * (4.0 * width * width + 2.0 * width * hidden) + 12.0 * tokens * width;
        tokens * layers * block + 4.0 * patches * inputs * width + 6.0 * classes * width
    }
}
