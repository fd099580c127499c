//! Against plain loops and finite differences.

use proptest::prelude::*;

use super::shape::Frame;
use super::{Convolution, ConvolutionShape};
use crate::kernels::finite_difference::{assert_gradient, dot, normals};
use crate::kernels::store::Store;

/// Plain loops.
fn naive(shape: &ConvolutionShape, x: &[f64], weight: &[f64], images: usize) -> Vec<f64> {
    let [_, depth, kernel, _] = shape.weight_shape();
    let mut y = Vec::new();
    for image in 0..images {
        for row in 0..shape.output_height() {
            for column in 0..shape.output_width() {
                for output in 0..shape.outputs {
                    let first = output / (shape.outputs / shape.groups) * depth;
                    let mut sum = 0.0;
                    for channel in 0..depth {
                        for r in 0..kernel {
                            for q in 0..kernel {
                                let (i, j) = (row * shape.stride + r, column * shape.stride + q);
                                let inside = |at: usize, size: usize| {
                                    (shape.padding..size + shape.padding).contains(&at)
                                };
                                if inside(i, shape.height) && inside(j, shape.width) {
                                    let pixel = (image * shape.height + i - shape.padding)
                                        * shape.width
                                        + j
                                        - shape.padding;
                                    let element =
                                        ((output * depth + channel) * kernel + r) * kernel + q;
                                    sum +=
                                        x[pixel * shape.inputs + first + channel] * weight[element];
                                }
                            }
                        }
                    }
                    y.push(sum);
                }
            }
        }
    }
    y
}

/// Copies images into frames.
fn framed(frame: &Frame, x: &[f64], images: usize) -> Vec<f64> {
    let mut out = vec![0.0; images * frame.len()];
    let len = frame.width * frame.channels;
    for (row, x) in x.chunks_exact(len).enumerate() {
        let (image, row) = (row / frame.height, row % frame.height);
        let start = frame.start(image, row + frame.border, frame.border);
        out[start..start + len].copy_from_slice(x);
    }
    out
}

fn shapes() -> impl Strategy<Value = ConvolutionShape> {
    (1..6usize, 1..5usize, 0..4usize, (1..4usize, 1..20usize, 1..20usize), (0..9usize, 0..9usize))
        .prop_map(|(kernel, stride, padding, (groups, inputs, outputs), (rows, columns))| {
            // Large enough for one position of the kernel.
            let least = kernel.saturating_sub(2 * padding).max(1);
            ConvolutionShape {
                height: least + rows,
                width: least + columns,
                inputs: groups * inputs,
                outputs: groups * outputs,
                kernel,
                stride,
                padding,
                groups,
            }
        })
}

/// Those that Winograd's tiles cover.
fn tiled_shapes() -> impl Strategy<Value = ConvolutionShape> {
    (1..5usize, 1..5usize, 1..40usize, 1..40usize).prop_map(|(rows, columns, inputs, outputs)| {
        ConvolutionShape {
            height: 2 * rows,
            width: 2 * columns,
            inputs,
            outputs,
            kernel: 3,
            stride: 1,
            padding: 1,
            groups: 1,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The convolution is linear in x and in W, so ⟨dy, conv(x, W)⟩ = ⟨dx, x⟩ = ⟨dW, W⟩ for every x
    /// and W.
    #[test]
    fn equals_plain_loops_and_its_adjoints(
        (shape, by_winograd) in prop_oneof![(shapes(), Just(false)), (tiled_shapes(), Just(true))],
        images in 1..4usize,
        seed in 0..1000u64,
    ) {
        let convolution = Convolution::of::<f64>(shape, images + 1, by_winograd);
        let numbers = |seed, len| normals(seed, len);
        let x = numbers(seed, images * shape.height * shape.width * shape.inputs);
        let weight = numbers(seed + 1, shape.weight_len());
        let expected = naive(&shape, &x, &weight, images);

        let mut packed = vec![f64::NAN; convolution.forward_len()];
        convolution.pack_forward(&mut packed, &weight);
        let framed_x = framed(&convolution.input, &x, images);
        let mut y = vec![f64::NAN; expected.len()];
        let mut scratch = vec![f64::NAN; convolution.scratch_len()];
        convolution.forward(&packed, &framed_x, &mut y, images, Store::Overwrite, &mut scratch);
        for (ours, plain) in y.iter().zip(&expected) {
            prop_assert!((ours - plain).abs() < 1e-11, "{ours} {plain}");
        }
        convolution.forward(&packed, &framed_x, &mut y, images, Store::Add, &mut scratch);
        for (ours, plain) in y.iter().zip(&expected) {
            prop_assert!((ours - 2.0 * plain).abs() < 1e-11, "{ours} {plain}");
        }

        let dy = numbers(seed + 2, y.len());
        let framed_dy = framed(&convolution.output, &dy, images);
        let mut packed = vec![f64::NAN; convolution.backward_len()];
        convolution.pack_backward(&mut packed, &weight);
        let mut dx = vec![f64::NAN; x.len()];
        convolution.backward_input(&packed, &framed_dy, &mut dx, images, &mut scratch);
        let mut packed = vec![0.0; convolution.forward_len()];
        convolution.backward_weight(&mut packed, &framed_x, &framed_dy, images, &mut scratch);
        let mut dweight = vec![1.0; weight.len()];
        convolution.unpack_gradient(&mut dweight, &packed);
        for probe in 0..3 {
            let (other_x, other_weight) = (
                numbers(seed + 3 + probe, x.len()),
                numbers(seed + 6 + probe, weight.len()),
            );
            let through = dot(&dy, &naive(&shape, &other_x, &weight, images));
            let scale = 1.0 + dot(&dx, &dx).sqrt() + dot(&dweight, &dweight).sqrt();
            prop_assert!((through - dot(&dx, &other_x)).abs() < 1e-11 * scale * x.len() as f64);
            let through = dot(&dy, &naive(&shape, &x, &other_weight, images));
            prop_assert!((through - dot(&dweight, &other_weight)).abs() < 1e-11 * scale * weight.len() as f64);
        }
    }
}

#[test]
fn backward_is_the_gradient() {
    let shape = ConvolutionShape {
        height: 5,
        width: 4,
        inputs: 2,
        outputs: 4,
        kernel: 3,
        stride: 2,
        padding: 1,
        groups: 2,
    };
    let images = 2;
    let convolution = Convolution::new::<f64>(shape, images);
    let x = normals(1, images * 5 * 4 * 2);
    let weight = normals(2, shape.weight_len());
    let dy = normals(3, images * shape.output_pixels() * 4);
    let (framed_x, framed_dy) =
        (framed(&convolution.input, &x, images), framed(&convolution.output, &dy, images));
    let loss = |x: &[f64], weight: &[f64]| dot(&naive(&shape, x, weight, images), &dy);

    let mut packed = vec![f64::NAN; convolution.backward_len()];
    convolution.pack_backward(&mut packed, &weight);
    let mut dx = vec![f64::NAN; x.len()];
    let mut scratch = vec![f64::NAN; convolution.scratch_len()];
    convolution.backward_input(&packed, &framed_dy, &mut dx, images, &mut scratch);
    assert_gradient("input", &x, &dx, |x| loss(x, &weight));

    let mut packed = vec![0.0; convolution.forward_len()];
    convolution.backward_weight(&mut packed, &framed_x, &framed_dy, images, &mut scratch);
    let mut dweight = vec![f64::NAN; weight.len()];
    convolution.unpack_gradient(&mut dweight, &packed);
    assert_gradient("weight", &weight, &dweight, |weight| loss(&x, weight));
}
