//! Several tensors side by side, in f64 and in row-major order.

use half::{bf16, f16};

use super::BLOCK;
use crate::tensor::{Dtype, Tensor};

/// Hands tensors of the same number of elements over side by side: `length` elements of each at a
/// time (fewer at the end), with the count of calls before. Returns whether all could be read.
///
/// Rows are visited with `length` set to their length; blocks are then as long as a row.
pub fn side_by_side(
    tensors: &[&Tensor],
    length: usize,
    mut visit: impl FnMut(usize, &[Vec<f64>]),
) -> bool {
    let Some(elements) = tensors.first().map(|tensor| tensor.elements()) else { return false };
    tensors.iter().for_each(|tensor| tensor.bytes().read_in_order());
    let streams: Option<Vec<Stream<'_>>> =
        tensors.iter().map(|tensor| Stream::of(tensor)).collect();
    let Some(mut streams) = streams else { return false };
    if length == 0 || tensors.iter().any(|tensor| tensor.elements() != elements) {
        return elements == 0;
    }
    let mut blocks: Vec<Vec<f64>> = tensors.iter().map(|_| Vec::new()).collect();
    let mut left = elements;
    let mut count = 0;
    while left > 0 {
        let now = left.min(length);
        for (stream, block) in streams.iter_mut().zip(&mut blocks) {
            stream.fill(block, now);
        }
        visit(count, &blocks);
        left -= now;
        count += 1;
    }
    true
}

/// A row of a tensor, in f64; nothing if there is no such row or it holds no real numbers.
pub fn row(tensor: &Tensor, index: usize) -> Option<Vec<f64>> {
    let (rows, _) = tensor.rows();
    let (Some((_, shape)), Some((&stride, strides))) =
        (tensor.shape().split_first(), tensor.strides().split_first())
    else {
        return tensor.to_f64();
    };
    if index >= rows {
        return None;
    }
    let view = Tensor::view(
        tensor.bytes().clone(),
        tensor.dtype(),
        index.checked_mul(stride)?,
        shape.to_vec(),
        strides.to_vec(),
        tensor.is_big_endian(),
    );
    let mut block = Vec::new();
    let view = view.ok()?;
    Stream::of(&view)?.fill(&mut block, view.elements());
    Some(block)
}

/// A tensor that is read from its first element on.
enum Stream<'a> {
    /// Elements follow each other.
    Contiguous { bytes: &'a [u8], dtype: Dtype },
    /// Elements lie anywhere.
    Anywhere(Box<dyn Iterator<Item = f64> + 'a>),
}

impl<'a> Stream<'a> {
    fn of(tensor: &'a Tensor) -> Option<Self> {
        let known = matches!(
            tensor.dtype(),
            Dtype::Float32 | Dtype::Bfloat16 | Dtype::Float16 | Dtype::Float64
        );
        if known && tensor.is_contiguous() && !tensor.is_big_endian() {
            return Some(Stream::Contiguous { bytes: tensor.bytes(), dtype: tensor.dtype() });
        }
        Some(Stream::Anywhere(Box::new(tensor.values()?)))
    }

    /// Puts the next elements into a block. The caller asks for no more than there are.
    fn fill(&mut self, block: &mut Vec<f64>, elements: usize) {
        block.clear();
        match self {
            Stream::Anywhere(values) => block.extend(values.take(elements)),
            Stream::Contiguous { bytes, dtype } => {
                let size = elements.saturating_mul(dtype.size()).min(bytes.len());
                let (now, later) = bytes.split_at(size);
                *bytes = later;
                block.reserve(elements.min(BLOCK));
                match dtype {
                    Dtype::Float32 => {
                        let raw = now.as_chunks().0;
                        block.extend(raw.iter().map(|&raw| f64::from(f32::from_le_bytes(raw))));
                    }
                    Dtype::Float64 => {
                        block.extend(now.as_chunks().0.iter().map(|&raw| f64::from_le_bytes(raw)));
                    }
                    Dtype::Bfloat16 => {
                        let raw = now.as_chunks().0;
                        block.extend(raw.iter().map(|&raw| bf16::from_le_bytes(raw).to_f64()));
                    }
                    _ => {
                        let raw = now.as_chunks().0;
                        block.extend(raw.iter().map(|&raw| f16::from_le_bytes(raw).to_f64()));
                    }
                }
            }
        }
    }
}
