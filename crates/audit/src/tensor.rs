//! A tensor that lies in a file.

use half::{bf16, f16};
use serde::{Serialize, Serializer};
use strum::{Display, IntoStaticStr};

use crate::Fault;
use crate::bytes::Bytes;

/// How an element is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Display, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[expect(missing_docs, reason = "the names of PyTorch and safetensors, which say what they are")]
pub enum Dtype {
    Bool,
    Uint8,
    Int8,
    Uint16,
    Int16,
    Uint32,
    Int32,
    Uint64,
    Int64,
    Float16,
    Bfloat16,
    Float32,
    Float64,
    Complex64,
    Complex128,
    #[serde(rename = "float8_e4m3fn")]
    #[strum(serialize = "float8_e4m3fn")]
    Float8E4m3,
    #[serde(rename = "float8_e5m2")]
    #[strum(serialize = "float8_e5m2")]
    Float8E5m2,
    /// A format whose elements are not read: quantised, packed below a byte, or newer than this
    /// program. Its elements have the given size.
    #[serde(rename = "other")]
    #[strum(serialize = "other")]
    Other {
        bytes: u8,
    },
}

impl Dtype {
    /// Bytes of one element.
    pub const fn size(self) -> usize {
        use Dtype::*;
        match self {
            Bool | Uint8 | Int8 | Float8E4m3 | Float8E5m2 => 1,
            Uint16 | Int16 | Float16 | Bfloat16 => 2,
            Uint32 | Int32 | Float32 => 4,
            Uint64 | Int64 | Float64 | Complex64 => 8,
            Complex128 => 16,
            Other { bytes } => bytes as usize,
        }
    }

    /// Whether it holds real numbers in floating point.
    pub const fn is_float(self) -> bool {
        use Dtype::*;
        matches!(self, Float16 | Bfloat16 | Float32 | Float64 | Float8E4m3 | Float8E5m2)
    }

    /// Relative rounding error of one stored number, 2⁻ᵖ; zero where numbers are exact.
    pub fn unit_roundoff(self) -> f64 {
        let bits = match self {
            Dtype::Float64 => 53,
            Dtype::Float32 => 24,
            Dtype::Float16 => 11,
            Dtype::Bfloat16 => 8,
            Dtype::Float8E4m3 => 4,
            Dtype::Float8E5m2 => 3,
            _ => return 0.0,
        };
        0.5_f64.powi(bits)
    }
}

/// Elements that a view may have beyond those that it reaches. A stride of zero repeats elements,
/// as masks do, and costs the file nothing: without a bound a small file would keep a reader busy
/// for ever.
const REPEATED: usize = 1 << 26;

/// A tensor that lies in a file: where its first element is, and how the others follow.
#[derive(Debug, Clone)]
pub struct Tensor {
    dtype: Dtype,
    shape: Vec<usize>,
    strides: Vec<usize>,
    is_big_endian: bool,
    /// The whole storage, which other tensors may share.
    storage: Bytes,
    /// From the first element to behind the last one.
    extent: Bytes,
}

impl Tensor {
    /// A view of a storage.
    ///
    /// `offset` and `strides` count elements. The extent of the view must lie in the storage.
    ///
    /// # Errors
    /// If it does not, or the numbers overflow.
    pub fn view(
        storage: Bytes,
        dtype: Dtype,
        offset: usize,
        shape: Vec<usize>,
        strides: Vec<usize>,
        is_big_endian: bool,
    ) -> Result<Self, Fault> {
        let outside = || Fault::at(storage.offset(), "a tensor reaches outside its storage");
        if shape.len() != strides.len() {
            return Err(Fault::at(
                storage.offset(),
                "a tensor has another number of strides than of axes",
            ));
        }
        let product = || shape.iter().try_fold(1_usize, |n, &size| n.checked_mul(size));
        let elements = if shape.contains(&0) { Some(0) } else { product() };
        let elements = elements.ok_or_else(outside)?;
        let mut last = 0_usize;
        if elements > 0 {
            for (&size, &stride) in shape.iter().zip(&strides) {
                let reach = (size - 1).checked_mul(stride).ok_or_else(outside)?;
                last = last.checked_add(reach).ok_or_else(outside)?;
            }
        }
        let length = if elements == 0 { 0 } else { last.checked_add(1).ok_or_else(outside)? };
        if elements.saturating_sub(length) > REPEATED {
            let what = "a tensor repeats its elements more often than is believed";
            return Err(Fault::at(storage.offset(), what));
        }
        let size = dtype.size();
        let start = offset.checked_mul(size).ok_or_else(outside)?;
        let bytes = length.checked_mul(size).ok_or_else(outside)?;
        let end = start.checked_add(bytes).ok_or_else(outside)?;
        let start = if elements == 0 { start.min(storage.len()) } else { start };
        let extent = storage.get(start..end.max(start)).ok_or_else(outside)?;
        Ok(Tensor { dtype, shape, strides, is_big_endian, storage, extent })
    }

    /// A tensor whose elements follow each other, the last axis fastest.
    ///
    /// # Errors
    /// If the bytes are too few for the shape.
    pub fn contiguous(bytes: Bytes, dtype: Dtype, shape: Vec<usize>) -> Result<Self, Fault> {
        let strides = row_major(&shape);
        Tensor::view(bytes, dtype, 0, shape, strides, false)
    }

    /// How an element is stored.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Sizes of the axes; empty for a single number.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Steps between neighbours along each axis, in elements.
    pub fn strides(&self) -> &[usize] {
        &self.strides
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        match self.shape.contains(&0) {
            true => 0,
            false => self.shape.iter().product(),
        }
    }

    /// Whether the elements follow each other, the last axis fastest.
    pub fn is_contiguous(&self) -> bool {
        let wanted = row_major(&self.shape);
        let mut axes = self.shape.iter().zip(&self.strides).zip(&wanted);
        self.elements() < 2 || axes.all(|((&size, stride), wanted)| size == 1 || stride == wanted)
    }

    /// Whether each element is stored most significant byte first.
    pub fn is_big_endian(&self) -> bool {
        self.is_big_endian
    }

    /// The bytes from the first element to behind the last one.
    pub fn bytes(&self) -> &Bytes {
        &self.extent
    }

    /// Whether both lie in the same storage, as tied weights do.
    pub fn shares_storage(&self, other: &Tensor) -> bool {
        !self.storage.is_empty() && self.storage.overlaps(&other.storage)
    }

    /// Whether both are the same view of the same storage: tied weights.
    pub fn is_same_view(&self, other: &Tensor) -> bool {
        self.shares_storage(other)
            && self.extent.offset() == other.extent.offset()
            && self.shape == other.shape
    }

    /// Rows and the length of each: the first axis, and all others. One number is one row of one.
    pub fn rows(&self) -> (usize, usize) {
        match self.shape.split_first() {
            None => (1, 1),
            // A tensor without elements may have any sizes beside its zero.
            Some((&rows, rest)) => (rows, rest.iter().fold(1, |n, &size| n.saturating_mul(size))),
        }
    }

    /// Hands all elements over as f64 in row-major order, at most `BLOCK` at a time. Returns
    /// whether the elements could be read as real numbers.
    pub fn for_each_block(&self, mut visit: impl FnMut(&[f64])) -> bool {
        const BLOCK: usize = 4096;
        let Some(read) = self.reader() else { return false };
        let mut block = Vec::with_capacity(BLOCK.min(self.elements()));
        for element in self.offsets() {
            block.push(read(element));
            if block.len() == BLOCK {
                visit(&block);
                block.clear();
            }
        }
        if !block.is_empty() {
            visit(&block);
        }
        true
    }

    /// All elements as f64 in row-major order, one after the other; nothing if they are not real
    /// numbers.
    pub fn values(&self) -> Option<impl Iterator<Item = f64> + '_> {
        let read = self.reader()?;
        Some(self.offsets().map(read))
    }

    /// All elements as f64 in row-major order; nothing if they are not real numbers.
    pub fn to_f64(&self) -> Option<Vec<f64>> {
        let mut all = Vec::with_capacity(self.elements());
        self.for_each_block(|block| all.extend_from_slice(block)).then_some(all)
    }

    /// A copy of the elements' bytes in row-major order, each in its own byte order.
    pub(crate) fn packed(&self) -> Vec<u8> {
        if self.is_contiguous() {
            return self.extent.to_vec();
        }
        let size = self.dtype.size();
        let mut packed = Vec::with_capacity(self.elements().saturating_mul(size));
        for element in self.offsets() {
            let bytes = self.extent.get(element * size..(element + 1) * size);
            packed.extend_from_slice(&bytes.unwrap_or_else(|| Bytes::from(vec![0; size])));
        }
        packed
    }

    /// The single element of a tensor that has one.
    pub fn scalar(&self) -> Option<f64> {
        let read = self.reader()?;
        (self.elements() == 1).then(|| read(0))
    }

    /// Positions of the elements in the extent, in row-major order.
    fn offsets(&self) -> impl Iterator<Item = usize> {
        let shape = self.shape.clone();
        let strides = self.strides.clone();
        let mut index = vec![0_usize; shape.len()];
        let mut offset = 0_usize;
        let mut left = self.elements();
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let current = offset;
            for axis in (0..shape.len()).rev() {
                index[axis] += 1;
                // Behind the last element the sum may pass the end of the numbers, and comes back.
                offset = offset.wrapping_add(strides[axis]);
                if index[axis] < shape[axis] {
                    break;
                }
                offset = offset.wrapping_sub(strides[axis].wrapping_mul(shape[axis]));
                index[axis] = 0;
            }
            Some(current)
        })
    }

    /// A function from an element's position in the extent to its value.
    fn reader(&self) -> Option<Box<dyn Fn(usize) -> f64 + '_>> {
        use Dtype::*;
        let big = self.is_big_endian;
        let bytes: &[u8] = &self.extent;
        macro_rules! reader {
            ($type:ty, $value:expr) => {{
                const SIZE: usize = size_of::<$type>();
                let convert: fn($type) -> f64 = $value;
                Some(Box::new(move |element: usize| {
                    let mut raw = [0; SIZE];
                    raw.copy_from_slice(&bytes[element * SIZE..(element + 1) * SIZE]);
                    convert(if big {
                        <$type>::from_be_bytes(raw)
                    } else {
                        <$type>::from_le_bytes(raw)
                    })
                }))
            }};
        }
        match self.dtype {
            Bool => reader!(u8, |x| f64::from(u8::from(x != 0))),
            Uint8 => reader!(u8, f64::from),
            Int8 => reader!(i8, f64::from),
            Uint16 => reader!(u16, f64::from),
            Int16 => reader!(i16, f64::from),
            Uint32 => reader!(u32, f64::from),
            Int32 => reader!(i32, f64::from),
            Uint64 => reader!(u64, |x| x as f64),
            Int64 => reader!(i64, |x| x as f64),
            Float16 => reader!(u16, |x| f16::from_bits(x).to_f64()),
            Bfloat16 => reader!(u16, |x| bf16::from_bits(x).to_f64()),
            Float32 => reader!(f32, f64::from),
            Float64 => reader!(f64, |x| x),
            Float8E4m3 => reader!(u8, float8_e4m3),
            Float8E5m2 => reader!(u8, |x| f16::from_bits(u16::from(x) << 8).to_f64()),
            Complex64 | Complex128 | Other { .. } => None,
        }
    }
}

impl Serialize for Tensor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Description<'a> {
            dtype: Dtype,
            shape: &'a [usize],
        }
        Description { dtype: self.dtype, shape: &self.shape }.serialize(serializer)
    }
}

/// Strides of a tensor whose elements follow each other, the last axis fastest.
pub fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1_usize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis]);
    }
    strides
}

/// The value of a float8_e4m3fn: 1 sign, 4 exponent bits with bias 7, 3 fraction bits; no infinity.
fn float8_e4m3(bits: u8) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 3 & 15), f64::from(bits & 7));
    let magnitude = match (exponent, bits & 7) {
        (15, 7) => f64::NAN,
        (0, _) => fraction / 8.0 * 2_f64.powi(-6),
        _ => (1.0 + fraction / 8.0) * 2_f64.powi(exponent - 7),
    };
    if bits & 0x80 == 0 { magnitude } else { -magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn f32s(values: &[f32]) -> Bytes {
        Bytes::from(values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
    }

    #[test]
    fn a_transpose_and_an_expansion_are_read_in_their_own_order() {
        let storage = f32s(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let transpose =
            Tensor::view(storage.clone(), Dtype::Float32, 0, vec![3, 2], vec![1, 3], false)
                .unwrap();
        assert_eq!(transpose.to_f64().unwrap(), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert!(!transpose.is_contiguous());
        let expanded =
            Tensor::view(storage, Dtype::Float32, 4, vec![3, 2], vec![0, 1], false).unwrap();
        assert_eq!(expanded.to_f64().unwrap(), [4.0, 5.0, 4.0, 5.0, 4.0, 5.0]);
    }

    #[test]
    fn a_view_outside_its_storage_is_refused() {
        let storage = f32s(&[0.0; 6]);
        for (offset, shape, strides) in [
            (0, vec![7], vec![1]),
            (6, vec![1], vec![1]),
            (0, vec![2, 4], vec![4, 1]),
            (usize::MAX, vec![1], vec![1]),
            (0, vec![usize::MAX, 2], vec![usize::MAX, 1]),
            (0, vec![2], vec![1, 1]),
        ] {
            let view = Tensor::view(storage.clone(), Dtype::Float32, offset, shape, strides, false);
            assert!(view.is_err());
        }
    }

    #[test]
    fn small_floats_have_their_values() {
        let bytes = Bytes::from(vec![0x38, 0xb8, 0x7e, 0x01, 0x7f]);
        let small = Tensor::contiguous(bytes, Dtype::Float8E4m3, vec![5]).unwrap();
        let values = small.to_f64().unwrap();
        assert_eq!(values[..4], [1.0, -1.0, 448.0, 2_f64.powi(-9)]);
        assert!(values[4].is_nan());
    }
}
