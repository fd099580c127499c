//! The memory of one micro-batch, by handle.

use std::ops::Range;

use super::handles::{Activation, Attention, DropoutSite, Rows};
use crate::kernels::attention::AttentionShape;
use crate::kernels::dropout::Mask;
use crate::kernels::loss;
use crate::kernels::rotary::RotaryTable;
use crate::random::Stream;
use crate::targets::Targets;
use crate::{Float, GptConfig};

/// What never changes and every micro-batch reads.
pub(crate) struct Tables<F> {
    pub(crate) context: usize,
    pub(crate) rotary: Option<RotaryTable<F>>,
}

/// One micro-batch and how it stands in its batch. A GPT's has tokens, an image model's has images.
#[derive(Clone, Copy, Default)]
pub(crate) struct MicroBatch<'a, F> {
    /// Number of sequences, or of images.
    pub(crate) sequences: usize,
    /// Index of its first sequence in the batch.
    pub(crate) first_sequence: usize,
    pub(crate) inputs: &'a [u32],
    pub(crate) targets: &'a [u32],
    pub(crate) images: &'a [F],
    pub(crate) classes: Targets<'a>,
    /// Factor of the gradient: 1/(number of targets of the batch).
    pub(crate) gradient_scale: f64,
    /// Dropping probability and the stream that all masks of this step come from.
    pub(crate) dropout: Option<(f64, Stream)>,
}

/// A micro-batch on one core: resolves handles to slices and hands them to the kernels.
///
/// Each operation comes as `forward` and `backward`; gradients of parameters are always added to.
pub(crate) struct Workspace<'a, F> {
    pub(crate) tables: &'a Tables<F>,
    pub(crate) batch: MicroBatch<'a, F>,
    pub(crate) parameters: &'a [F],
    /// Empty when only the loss is asked for.
    pub(crate) gradients: &'a mut [F],
    pub(crate) activations: &'a mut [F],
    /// Tokens that the activation arena has room for.
    pub(crate) capacity: usize,
    pub(crate) scratch: &'a mut [F],
}

/// Elements of scratch that a micro-batch of `tokens` tokens needs.
pub(crate) fn scratch_len(config: &GptConfig, tokens: usize) -> usize {
    let GptConfig { vocabulary, context, width, heads, .. } = *config;
    let shape = AttentionShape {
        sequences: 1,
        context,
        heads,
        head_width: config.head_width(),
        first_sequence: 0,
        causal: true,
    };
    shape.scratch_len().max(loss::scratch_len(vocabulary, width, tokens))
}

impl<F: Float> Workspace<'_, F> {
    pub(super) fn rows(&self, rows: Rows) -> usize {
        match rows {
            Rows::Token => self.batch.sequences * self.tables.context,
            Rows::Sequence => self.batch.sequences,
        }
    }

    pub(super) fn range(&self, activation: Activation) -> Range<usize> {
        let offset = activation.start * self.capacity;
        offset..offset + self.rows(activation.rows) * activation.columns
    }

    /// The numbers of an activation.
    pub(crate) fn values(&self, activation: Activation) -> &[F] {
        &self.activations[self.range(activation)]
    }

    pub(super) fn mask(&self, site: DropoutSite) -> Option<Mask> {
        self.batch
            .dropout
            .map(|(probability, stream)| Mask::new(stream.within(site.0), probability))
    }

    /// Index, in the whole batch, of element 0 of an activation.
    pub(super) fn first_element(&self, activation: Activation) -> u64 {
        let rows_per_sequence = match activation.rows {
            Rows::Token => self.tables.context,
            Rows::Sequence => 1,
        };
        (self.batch.first_sequence * rows_per_sequence * activation.columns) as u64
    }

    pub(super) fn attention_shape(&self, attention: Attention, width: usize) -> AttentionShape {
        AttentionShape {
            sequences: self.batch.sequences,
            context: self.tables.context,
            heads: attention.heads,
            head_width: width / attention.heads,
            first_sequence: self.batch.first_sequence,
            causal: attention.causal,
        }
    }
}

/// Slices of distinct activations, of which all may be written.
///
/// The plan never hands out overlapping places, so this cannot fail; if a layer named one twice,
/// the panic says so.
pub(super) fn windows<F, const N: usize>(
    activations: &mut [F],
    ranges: [Range<usize>; N],
) -> [&mut [F]; N] {
    activations
        .get_disjoint_mut(ranges)
        .expect("operands of one operation are distinct activations")
}
