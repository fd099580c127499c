//! What a network is asked for: a loss with its gradient, or logits.

use super::memory::Network;
use super::norm_state::Statistics;
use super::plan::{IMAGES, NormKind};
use crate::error::check_length;
use crate::kernels::class_loss;
use crate::targets::Targets;
use crate::{Float, NnError};

impl<F: Float> Network<F> {
    /// Mean loss over the batch and its gradient; batch norms take the batch's statistics, and
    /// `running` follows.
    pub(crate) fn loss_and_gradient(
        &mut self,
        parameters: &[F],
        gradients: &mut [F],
        running: &mut [F],
        images: &[F],
        targets: Targets<'_>,
    ) -> Result<f64, NnError> {
        let count = self.check(parameters, running.len(), images)?;
        check_length("gradients", gradients.len(), self.plan.layout.len)?;
        targets.check(count, self.plan.head.classes)?;
        self.check_statistics(count)?;
        self.forward(parameters, Statistics::Batch(running), images, count);
        let logits = &mut self.logits[..count * self.plan.head.classes];
        let scale = 1.0 / count as f64;
        let total =
            class_loss::forward_backward(logits, targets, self.plan.head.classes, self.loss, scale);
        self.backward(parameters, gradients, images, count);
        Ok(total * scale)
    }

    /// `logits` `[image][class]`, with the running statistics.
    pub(crate) fn logits(
        &mut self,
        parameters: &[F],
        running: &[F],
        images: &[F],
        logits: &mut [F],
    ) -> Result<(), NnError> {
        let count = self.check(parameters, running.len(), images)?;
        check_length("logits", logits.len(), count * self.plan.head.classes)?;
        self.forward(parameters, Statistics::Running(running), images, count);
        logits.copy_from_slice(&self.logits[..logits.len()]);
        Ok(())
    }

    /// The number of images, if the slices fit one another.
    fn check(&self, parameters: &[F], running: usize, images: &[F]) -> Result<usize, NnError> {
        check_length("parameters", parameters.len(), self.plan.layout.len)?;
        check_length("running statistics", running, self.plan.running.len)?;
        let len = self.plan.tensors[IMAGES].len();
        let count = images.len() / len;
        if images.len() != count * len || !(1..=self.capacity).contains(&count) {
            return Err(NnError::Length {
                what: "images",
                given: images.len(),
                expected: format!("1 to {} images of {len} numbers", self.capacity),
            });
        }
        Ok(count)
    }

    /// Refuses a batch in which a batch norm sees one number a channel: its variance would be 0.
    fn check_statistics(&self, images: usize) -> Result<(), NnError> {
        let alone = self.plan.tensors.iter().any(|tensor| {
            let norm = tensor.norm.map(|norm| norm.kind);
            matches!(norm, Some(NormKind::Batch { .. })) && tensor.pixels() * images == 1
        });
        if alone { Err(NnError::BatchOfOne) } else { Ok(()) }
    }
}
