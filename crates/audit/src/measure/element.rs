//! From the bytes of an element to a number that lanes can hold.

use std::ops::{AddAssign, Mul};

/// A number that sums are made of.
pub(super) trait Number:
    Copy + Default + PartialOrd + AddAssign + Mul<Output = Self> + Into<f64>
{
    /// |x|.
    fn magnitude(self) -> Self;
}

impl Number for f32 {
    #[inline(always)]
    fn magnitude(self) -> Self {
        self.abs()
    }
}

impl Number for f64 {
    #[inline(always)]
    fn magnitude(self) -> Self {
        self.abs()
    }
}

/// A way to read an element. Elements are bytes rather than numbers, because a file may put them at
/// any address.
pub(super) trait Element {
    /// The element as it lies there.
    type Raw: Copy + Sync;
    /// The number that sums are made of.
    type Number: Number;
    /// The number.
    fn read(raw: Self::Raw) -> Self::Number;

    /// Whether [`Element::read_quickly`] may be asked for the elements of a block.
    #[inline(always)]
    fn can_read_quickly(_block: &[Self::Raw]) -> bool {
        true
    }

    /// The number, of a block that can be read quickly.
    #[inline(always)]
    fn read_quickly(raw: Self::Raw) -> Self::Number {
        Self::read(raw)
    }
}

/// Single precision.
pub(super) struct F32;

impl Element for F32 {
    type Raw = [u8; 4];
    type Number = f32;

    #[inline(always)]
    fn read(raw: [u8; 4]) -> f32 {
        f32::from_le_bytes(raw)
    }
}

/// Double precision.
pub(super) struct F64;

impl Element for F64 {
    type Raw = [u8; 8];
    type Number = f64;

    #[inline(always)]
    fn read(raw: [u8; 8]) -> f64 {
        f64::from_le_bytes(raw)
    }
}

/// The upper half of a single-precision number.
pub(super) struct Bf16;

impl Element for Bf16 {
    type Raw = [u8; 2];
    type Number = f32;

    #[inline(always)]
    fn read(raw: [u8; 2]) -> f32 {
        f32::from_bits(u32::from(u16::from_le_bytes(raw)) << 16)
    }
}

/// Half precision.
pub(super) struct F16;

impl Element for F16 {
    type Raw = [u8; 2];
    type Number = f32;

    #[inline(always)]
    fn read(raw: [u8; 2]) -> f32 {
        if Self::can_read_quickly(&[raw]) { Self::read_quickly(raw) } else { f32::NAN }
    }

    /// The largest exponent stands for what is not finite: one more carries into the sign's bit.
    #[inline(always)]
    fn can_read_quickly(block: &[[u8; 2]]) -> bool {
        let carried = block.iter().fold(0, |carried, &raw| {
            carried | (u16::from_le_bytes(raw) & 0x7c00).wrapping_add(0x0400)
        });
        carried & 0x8000 == 0
    }

    /// The exponent's bias is 15, not 127: the bits moved into place are the number times 2⁻¹¹², and
    /// subnormal numbers come out right too.
    #[inline(always)]
    fn read_quickly(raw: [u8; 2]) -> f32 {
        let bits = u32::from(u16::from_le_bytes(raw));
        let magnitude = f32::from_bits((bits & 0x7fff) << 13) * f32::from_bits((127 + 112) << 23);
        f32::from_bits(magnitude.to_bits() | ((bits & 0x8000) << 16))
    }
}

/// Another element, in double precision.
pub(super) struct Wide<E>(std::marker::PhantomData<E>);

impl<E: Element> Element for Wide<E> {
    type Raw = E::Raw;
    type Number = f64;

    #[inline(always)]
    fn read(raw: E::Raw) -> f64 {
        E::read(raw).into()
    }
}

/// A number that was read already.
pub(super) struct Plain;

impl Element for Plain {
    type Raw = f64;
    type Number = f64;

    #[inline(always)]
    fn read(raw: f64) -> f64 {
        raw
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    #[test]
    fn every_half_precision_number_has_its_value() {
        for bits in 0..=u16::MAX {
            let (mine, theirs) = (F16::read(bits.to_le_bytes()), f16::from_bits(bits).to_f32());
            if theirs.is_finite() {
                assert_eq!(mine.to_bits(), theirs.to_bits());
            } else {
                assert!(mine.is_nan());
            }
        }
    }
}
