//! A tensor from its chunks.

use crate::Fault;
use crate::bytes::Bytes;
use crate::limits::Limits;
use crate::tensor::{Tensor, row_major};

/// Chunks of one tensor. Every pair of them is compared.
const MOST: usize = 2048;

/// A part of a tensor.
pub(super) struct Chunk {
    pub(super) tensor: Tensor,
    /// Where its first element belongs.
    pub(super) offsets: Vec<usize>,
}

/// Puts chunks together: one that is all of it stays where it lies, several are copied.
///
/// `copied` counts the bytes of all copies, which may not be more than `opened`, the bytes of the
/// files: an element that stands for many costs the file nothing. Nor may they be more than the
/// limit.
///
/// # Errors
/// If the chunks overlap, leave a gap or reach outside.
pub(super) fn assemble(
    shape: Vec<usize>,
    mut chunks: Vec<Chunk>,
    opened: usize,
    limits: Limits,
    copied: &mut usize,
) -> Result<Tensor, Fault> {
    let too_large = || Fault::whole("its shape is too large");
    let elements = shape.iter().try_fold(1_usize, |n, &size| n.checked_mul(size));
    let elements = elements.ok_or_else(too_large)?;
    check_cover(&shape, elements, &chunks)?;
    if let [only] = chunks.as_slice()
        && only.tensor.shape() == shape
    {
        return Ok(chunks.remove(0).tensor);
    }
    let Some(first) = chunks.first() else { return Err(Fault::whole("it has no chunks")) };
    let (dtype, is_big_endian) = (first.tensor.dtype(), first.tensor.is_big_endian());
    let alike = |chunk: &Chunk| {
        (chunk.tensor.dtype(), chunk.tensor.is_big_endian()) == (dtype, is_big_endian)
    };
    if !chunks.iter().all(alike) {
        return Err(Fault::whole("its chunks have different element types"));
    }
    let size = dtype.size();
    let length = elements.checked_mul(size).ok_or_else(too_large)?;
    *copied = copied.saturating_add(length);
    if *copied > opened {
        return Err(Fault::whole("its chunks claim more bytes than their files have"));
    }
    if *copied > limits.assembled_bytes {
        *copied -= length;
        let most = wd_page::number::short((limits.assembled_bytes >> 30) as f64);
        return Err(Fault::whole(format!(
            "tensors of several chunks are put together in memory, up to {most} GiB of them"
        )));
    }
    let mut whole = vec![0; length];
    let strides = row_major(&shape);
    for chunk in &chunks {
        place(&mut whole, &strides, chunk, size)?;
    }
    Tensor::view(Bytes::from(whole), dtype, 0, shape, strides, is_big_endian)
}

/// Every element belongs to exactly one chunk.
fn check_cover(shape: &[usize], elements: usize, chunks: &[Chunk]) -> Result<(), Fault> {
    if chunks.len() > MOST {
        return Err(Fault::whole("a tensor of more than 2,048 chunks is refused"));
    }
    let mut covered = 0_usize;
    for (at, chunk) in chunks.iter().enumerate() {
        let sizes = chunk.tensor.shape();
        let axes = chunk.offsets.iter().zip(sizes).zip(shape);
        let is_inside = sizes.len() == shape.len()
            && chunk.offsets.len() == shape.len()
            && axes.into_iter().all(|((offset, size), whole)| {
                offset.checked_add(*size).is_some_and(|end| end <= *whole)
            });
        if !is_inside {
            return Err(Fault::whole("a chunk reaches outside its tensor"));
        }
        covered = covered.saturating_add(chunk.tensor.elements());
        if chunks[..at].iter().any(|other| overlap(chunk, other)) {
            return Err(Fault::whole("two chunks overlap"));
        }
    }
    match covered == elements {
        true => Ok(()),
        false => Err(Fault::whole("chunks are missing")),
    }
}

fn overlap(one: &Chunk, other: &Chunk) -> bool {
    let one = one.offsets.iter().zip(one.tensor.shape());
    let other = other.offsets.iter().zip(other.tensor.shape());
    one.zip(other).all(|((a, n), (b, m))| *n > 0 && *m > 0 && *a < b + m && *b < a + n)
}

/// Copies a chunk to its place, a run along the last axis at a time.
fn place(whole: &mut [u8], strides: &[usize], chunk: &Chunk, size: usize) -> Result<(), Fault> {
    let packed = chunk.tensor.packed();
    let shape = chunk.tensor.shape();
    let (run, outer) = match shape.split_last() {
        Some((run, outer)) => (*run, outer),
        None => (1, shape),
    };
    if packed.is_empty() || run == 0 {
        return Ok(());
    }
    let first: usize = chunk.offsets.iter().zip(strides).map(|(at, stride)| at * stride).sum();
    let mut index = vec![0_usize; outer.len()];
    let mut start = first;
    for source in packed.chunks_exact(run * size) {
        let target = whole.get_mut(start * size..(start + run) * size);
        let target = target.ok_or_else(|| Fault::whole("a chunk reaches outside its tensor"))?;
        target.copy_from_slice(source);
        for axis in (0..outer.len()).rev() {
            index[axis] += 1;
            start += strides[axis];
            if index[axis] < outer[axis] {
                break;
            }
            start -= strides[axis] * outer[axis];
            index[axis] = 0;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Dtype;

    fn chunk(offsets: &[usize], shape: &[usize], values: &[u8]) -> Chunk {
        let bytes = Bytes::from(values.to_vec());
        let tensor = Tensor::contiguous(bytes, Dtype::Uint8, shape.to_vec()).unwrap();
        Chunk { tensor, offsets: offsets.to_vec() }
    }

    #[test]
    fn quarters_of_a_matrix_come_together() {
        let chunks = vec![
            chunk(&[0, 0], &[1, 2], &[1, 2]),
            chunk(&[0, 2], &[1, 1], &[3]),
            chunk(&[1, 0], &[2, 2], &[4, 5, 7, 8]),
            chunk(&[1, 2], &[2, 1], &[6, 9]),
        ];
        let whole = assemble(vec![3, 3], chunks, 9, Limits::DEFAULT, &mut 0).unwrap();
        assert_eq!(whole.to_f64().unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
    }

    #[test]
    fn gaps_overlaps_and_claims_beyond_the_files_are_refused() {
        let gap = vec![chunk(&[0], &[2], &[1, 2]), chunk(&[3], &[1], &[4])];
        assert!(
            assemble(vec![4], gap, 9, Limits::DEFAULT, &mut 0)
                .unwrap_err()
                .what
                .contains("missing")
        );
        let twice = vec![chunk(&[0], &[2], &[1, 2]), chunk(&[1], &[2], &[2, 3])];
        assert!(
            assemble(vec![4], twice, 9, Limits::DEFAULT, &mut 0)
                .unwrap_err()
                .what
                .contains("overlap")
        );
        let outside = vec![chunk(&[3], &[2], &[1, 2])];
        assert!(
            assemble(vec![4], outside, 9, Limits::DEFAULT, &mut 0)
                .unwrap_err()
                .what
                .contains("outside")
        );
        let dear = vec![chunk(&[0], &[1], &[1]), chunk(&[1], &[1], &[2])];
        let halves = || vec![chunk(&[0], &[1], &[1]), chunk(&[1], &[1], &[2])];
        let small = Limits { assembled_bytes: 3, ..Limits::DEFAULT };
        let mut copied = 0;
        assert!(assemble(vec![2], halves(), 9, small, &mut copied).is_ok());
        assert!(assemble(vec![2], halves(), 9, small, &mut copied).is_err());
        assert_eq!(copied, 2);
        assert!(assemble(vec![2], dear, 1, Limits::DEFAULT, &mut 0).is_err());
    }
}
