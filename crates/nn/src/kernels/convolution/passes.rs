//! The forward and the two gradients, over the tables.

use super::tables::Convolution;
use crate::Float;
use crate::kernels::correlation;
use crate::kernels::store::Store;

impl Convolution {
    /// Packs W for the forward.
    pub(crate) fn pack_forward<F: Float>(&self, packed: &mut [F], weight: &[F]) {
        if let Some(winograd) = &self.winograd {
            return winograd.pack_forward(packed, weight, self.lanes);
        }
        let groups = self.shape.groups;
        let (outputs, depth) = (self.shape.outputs / groups, self.shape.depth());
        let packed = packed[..self.slid_len()].chunks_exact_mut(self.padded_outputs() * depth);
        for (packed, weight) in packed.zip(weight.chunks_exact(outputs * depth)) {
            correlation::pack(packed, weight, &self.forward_taps, depth, outputs);
        }
    }

    /// W's gradient ← the packed one.
    pub(crate) fn unpack_gradient<F: Float>(&self, gradient: &mut [F], packed: &[F]) {
        if let Some(winograd) = &self.winograd {
            return winograd.unpack_gradient(gradient, packed, self.lanes);
        }
        let groups = self.shape.groups;
        let (outputs, depth) = (self.shape.outputs / groups, self.shape.depth());
        let packed = packed[..self.slid_len()].chunks_exact(self.padded_outputs() * depth);
        for (packed, gradient) in packed.zip(gradient.chunks_exact_mut(outputs * depth)) {
            correlation::unpack(gradient, packed, &self.forward_taps, depth, outputs);
        }
    }

    /// Packs W for the gradient of the input.
    pub(crate) fn pack_backward<F: Float>(&self, packed: &mut [F], weight: &[F]) {
        if let Some(winograd) = &self.winograd {
            return winograd.pack_backward(packed, weight, self.lanes);
        }
        let shape = &self.shape;
        let (inputs, outputs) = (shape.inputs / shape.groups, shape.outputs / shape.groups);
        let square = shape.kernel * shape.kernel;
        for part in self.backward.iter().filter(|part| !part.taps.is_empty()) {
            let len = inputs.next_multiple_of(self.lanes) * part.taps.len();
            let packed = packed[part.packed..].chunks_exact_mut(len);
            let groups = weight.chunks_exact(outputs * shape.depth());
            for (packed, weight) in packed.zip(groups) {
                correlation::pack(packed, weight, &part.taps, square, inputs);
            }
        }
    }

    /// y `[image][row][column][out]` ← (itself if `store` adds +) the convolution of `images`
    /// framed images.
    pub(crate) fn forward<F: Float>(
        &self,
        packed: &[F],
        x: &[F],
        y: &mut [F],
        images: usize,
        store: Store,
        scratch: &mut [F],
    ) {
        if let Some(winograd) = &self.winograd {
            return winograd.forward(packed, x, y, images, store, scratch);
        }
        let shape = &self.shape;
        let (inputs, outputs) = (shape.inputs / shape.groups, shape.outputs / shape.groups);
        let group_len = self.padded_outputs() * shape.depth();
        for group in 0..shape.groups {
            correlation::correlate(
                &self.forward,
                images * shape.output_pixels(),
                &x[group * inputs..],
                &packed[group * group_len..][..group_len],
                &mut y[group * outputs..],
                outputs,
                store,
            );
        }
    }

    /// Packed gradient of W += that of `images` framed images x with the framed output gradient dy.
    pub(crate) fn backward_weight<F: Float>(
        &self,
        gradient: &mut [F],
        x: &[F],
        dy: &[F],
        images: usize,
        scratch: &mut [F],
    ) {
        if let Some(winograd) = &self.winograd {
            return winograd.backward_weight(gradient, x, dy, images, scratch);
        }
        let shape = &self.shape;
        let (inputs, outputs) = (shape.inputs / shape.groups, shape.outputs / shape.groups);
        let pixels = images * shape.output_pixels();
        let group_len = self.padded_outputs() * shape.depth();
        for group in 0..shape.groups {
            let panels = &mut scratch[..self.padded_outputs() * pixels];
            let dy = &dy[group * outputs..];
            correlation::panels(panels, dy, &self.gradient_starts[..pixels], outputs);
            correlation::weight_gradient(
                &self.forward,
                &self.input_taps,
                pixels,
                &x[group * inputs..],
                panels,
                &mut gradient[group * group_len..][..group_len],
                outputs,
            );
        }
    }

    /// dx `[image][row][column][in]` ← the gradient of the input, from the framed dy of `images`
    /// images.
    pub(crate) fn backward_input<F: Float>(
        &self,
        packed: &[F],
        dy: &[F],
        dx: &mut [F],
        images: usize,
        scratch: &mut [F],
    ) {
        if let Some(winograd) = &self.winograd {
            return winograd.backward_input(packed, dy, dx, images, scratch);
        }
        let shape = &self.shape;
        let (inputs, outputs) = (shape.inputs / shape.groups, shape.outputs / shape.groups);
        if self.backward.iter().any(|part| part.taps.is_empty()) {
            // Pixels that no tap ever sees.
            dx[..images * shape.height * shape.width * shape.inputs].fill(F::from_f64(0.0));
        }
        for part in self.backward.iter().filter(|part| !part.taps.is_empty()) {
            let group_len = inputs.next_multiple_of(self.lanes) * part.taps.len();
            for group in 0..shape.groups {
                correlation::correlate(
                    &part.slide,
                    images * part.pixels,
                    &dy[group * outputs..],
                    &packed[part.packed + group * group_len..][..group_len],
                    &mut dx[group * inputs..],
                    inputs,
                    Store::Overwrite,
                );
            }
        }
    }
}
