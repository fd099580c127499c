//! Images cut into patches, and the learned rows that are added to them.
//!
//! A patch becomes a row `[channel][row][column]`, the order of `torch.nn.Conv2d`'s weight `[out,
//! in, kh, kw]`: the convolution whose stride is its kernel is then one matrix product.

use super::{bias, sum};
use crate::Float;
use crate::image::ImageShape;

/// How an image is cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PatchShape {
    pub(crate) image: ImageShape,
    /// Rows and columns of a patch, which divide the image's.
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// Does a row of zeros come before the patches of an image?
    pub(crate) class_token: bool,
}

impl PatchShape {
    /// Rows an image becomes.
    pub(crate) fn tokens(self) -> usize {
        let patches = (self.image.height / self.height) * (self.image.width / self.width);
        patches + usize::from(self.class_token)
    }

    /// Numbers a patch.
    pub(crate) fn columns(self) -> usize {
        self.image.channels * self.height * self.width
    }
}

/// out `[images·tokens, columns]` ← the patches, row by row of patches.
pub(crate) fn gather<F: Float>(out: &mut [F], images: &[F], shape: PatchShape) {
    let (columns, channels) = (shape.columns(), shape.image.channels);
    let across = shape.image.width / shape.width;
    let images = images.chunks_exact(shape.image.numbers());
    for (rows, image) in out.chunks_exact_mut(shape.tokens() * columns).zip(images) {
        let (class_token, patches) = rows.split_at_mut(usize::from(shape.class_token) * columns);
        class_token.fill(F::from_f64(0.0));
        for (index, patch) in patches.chunks_exact_mut(columns).enumerate() {
            let (top, left) = (index / across * shape.height, index % across * shape.width);
            for row in 0..shape.height {
                let start = ((top + row) * shape.image.width + left) * channels;
                let pixels = &image[start..][..shape.width * channels];
                for (column, pixel) in pixels.chunks_exact(channels).enumerate() {
                    for (channel, value) in pixel.iter().enumerate() {
                        patch[(channel * shape.height + row) * shape.width + column] = *value;
                    }
                }
            }
        }
    }
}

/// Adds to every image's rows of `stream` their positions, and to each the bias, or to the first
/// the class token.
pub(crate) fn add_learned_rows<F: Float>(
    stream: &mut [F],
    position: &[F],
    class_token: Option<&[F]>,
    patch_bias: &[F],
) {
    for image in stream.chunks_exact_mut(position.len()) {
        sum::add(image, position);
        let (first, patches) = image.split_at_mut(class_token.map_or(0, <[F]>::len));
        if let Some(class_token) = class_token {
            sum::add(first, class_token);
        }
        bias::forward(patches, patch_bias);
    }
}

/// Adds the gradients of what [`add_learned_rows`] added.
pub(crate) fn learned_rows_backward<F: Float>(
    gradient: &[F],
    position: &mut [F],
    mut class_token: Option<&mut [F]>,
    patch_bias: &mut [F],
) {
    for image in gradient.chunks_exact(position.len()) {
        sum::add(position, image);
        let (first, patches) = image.split_at(class_token.as_ref().map_or(0, |token| token.len()));
        if let Some(class_token) = class_token.as_deref_mut() {
            sum::add(class_token, first);
        }
        bias::backward(patch_bias, patches);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::finite_difference::{assert_gradient, dot, normals};

    #[test]
    fn patches_are_what_a_convolution_reads() {
        let image = ImageShape { channels: 2, height: 4, width: 6 };
        let shape = PatchShape { image, height: 2, width: 3, class_token: true };
        let images: Vec<f32> = (0..2 * image.numbers()).map(|index| index as f32).collect();
        let mut out = vec![f32::NAN; 2 * shape.tokens() * shape.columns()];
        gather(&mut out, &images, shape);
        assert_eq!((shape.tokens(), shape.columns()), (5, 12));
        for (index, value) in out.iter().enumerate() {
            let (row, place) = (index / 12, index % 12);
            let (which, token) = (row / 5, row % 5);
            let (channel, y, x) = (place / 6, place / 3 % 2, place % 3);
            let expected = token.checked_sub(1).map_or(0, |patch| {
                let (y, x) = (patch / 2 * 2 + y, patch % 2 * 3 + x);
                ((which * 4 + y) * 6 + x) * 2 + channel
            });
            assert_eq!(*value, expected as f32, "row {row}, number {place}");
        }
    }

    #[test]
    fn backward_is_the_gradient() {
        let (images, tokens, width) = (3, 4, 5);
        let (stream, dout) =
            (normals(1, images * tokens * width), normals(2, images * tokens * width));
        let (position, token, bias) =
            (normals(3, tokens * width), normals(4, width), normals(5, width));
        for with_token in [true, false] {
            let loss = |position: &[f64], token: &[f64], bias: &[f64]| {
                let mut out = stream.clone();
                add_learned_rows(&mut out, position, with_token.then_some(token), bias);
                dot(&out, &dout)
            };
            let (mut dposition, mut dtoken, mut dbias) =
                (vec![0.0; tokens * width], vec![0.0; width], vec![0.0; width]);
            let token_gradient = with_token.then_some(dtoken.as_mut_slice());
            learned_rows_backward(&dout, &mut dposition, token_gradient, &mut dbias);
            assert_gradient("position", &position, &dposition, |position| {
                loss(position, &token, &bias)
            });
            assert_gradient("bias", &bias, &dbias, |bias| loss(&position, &token, bias));
            if with_token {
                assert_gradient("class token", &token, &dtoken, |token| {
                    loss(&position, token, &bias)
                });
            }
        }
    }
}
