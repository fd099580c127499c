//! What is done at random to a training image.

use serde::{Deserialize, Serialize};

use super::error::ImageError;
use super::set::ImageSet;
use crate::random::RandomStream;

/// Random changes of training images, in the order of the table. The default changes nothing.
///
/// | field | off | meaning | convention |
/// |---|---|---|---|
/// | `crop` | 0 | pad with this many black pixels on every side, cut out the original size at a random place | torchvision's `RandomCrop(size, padding=crop)` |
/// | `flip` | false | mirror left and right, with probability ½ | torchvision's `RandomHorizontalFlip()` |
/// | `cutout` | 0 | a square of this side around a random pixel, cut at the borders, becomes 0 after normalisation | DeVries & Taylor, arXiv:1708.04552 |
/// | `mixup` | 0 | s ∼ Beta(mixup, mixup): the image becomes s times itself and 1 − s times another | Zhang et al., arXiv:1710.09412, with an s and a partner for each image instead of each batch |
///
/// All draws are a function of (seed, epoch, index of the image in its set). The partner is any of
/// the images that are trained on, as it looks itself in this epoch.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augmentation {
    /// Black pixels added on every side before cutting; 0 for none.
    pub crop: usize,
    /// Whether half of the images are mirrored.
    pub flip: bool,
    /// α of mixup; 0 for none.
    pub mixup: f64,
    /// Side of the square cut out, in pixels; 0 for none.
    pub cutout: usize,
}

impl Augmentation {
    pub(super) fn check(&self, set: &ImageSet) -> Result<(), ImageError> {
        let (height, width, _) = set.shape();
        let shorter = height.min(width);
        for (name, pixels) in [("crop", self.crop), ("cutout", self.cutout)] {
            if pixels >= shorter {
                let problem = format!(
                    "must be smaller than the images of {height} × {width} pixels, so that \
                     something of them is left; 0 switches it off"
                );
                return Err(ImageError::setting(name, pixels, problem));
            }
        }
        if !(self.mixup.is_finite() && self.mixup >= 0.0) {
            let problem = "must be a number from 0 (off); 0.2 is usual";
            return Err(ImageError::setting("mixup", self.mixup, problem));
        }
        Ok(())
    }

    /// The random numbers of one image. Each is drawn whether it is used or not, so that switching
    /// one change on leaves the others as they were.
    pub(super) fn draw(
        &self,
        (height, width): (usize, usize),
        (seed, epoch, index): (u64, u64, u32),
    ) -> (Draw, RandomStream) {
        let mut random = RandomStream::indexed("augmentation", seed, epoch, u64::from(index));
        let mut offset = || random.below(2 * self.crop as u64 + 1) as isize - self.crop as isize;
        let draw = Draw {
            down: offset(),
            right: offset(),
            mirrored: random.below(2) == 1 && self.flip,
            hole: (random.below(height as u64) as usize, random.below(width as u64) as usize),
        };
        (draw, random)
    }

    /// Makes a normalised image of bytes. `table` is that of the normalisation, `[channel][byte]`.
    pub(super) fn paint(
        &self,
        draw: &Draw,
        (height, width, channels): (usize, usize, usize),
        table: &[[f32; 256]],
        pixels: &[u8],
        out: &mut [f32],
    ) {
        for (row, out) in out.chunks_exact_mut(width * channels).enumerate() {
            let source = row.checked_add_signed(draw.down).filter(|&row| row < height);
            let source = source.map(|row| &pixels[row * width * channels..][..width * channels]);
            for (column, out) in out.chunks_exact_mut(channels).enumerate() {
                let column = if draw.mirrored { width - 1 - column } else { column };
                let column = column.checked_add_signed(draw.right).filter(|&column| column < width);
                match (source, column) {
                    (Some(source), Some(column)) => {
                        let pixel = &source[column * channels..][..channels];
                        for ((out, byte), table) in out.iter_mut().zip(pixel).zip(table) {
                            *out = table[usize::from(*byte)];
                        }
                    }
                    _ => {
                        for (out, table) in out.iter_mut().zip(table) {
                            *out = table[0];
                        }
                    }
                }
            }
        }
        if self.cutout > 0 {
            let side = |centre: usize, most: usize| {
                let start = centre.saturating_sub(self.cutout / 2);
                // Not from `start`: at the upper border the square is cut, not moved.
                let end = (centre + self.cutout - self.cutout / 2).min(most);
                start..end
            };
            let columns = side(draw.hole.1, width);
            for row in side(draw.hole.0, height) {
                out[(row * width + columns.start) * channels
                    ..(row * width + columns.end) * channels]
                    .fill(0.0);
            }
        }
    }
}

/// What was drawn for an image, but for its part in mixup. The default changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Draw {
    /// Pixels that the cut lies below and right of the original's place.
    pub(super) down: isize,
    pub(super) right: isize,
    pub(super) mirrored: bool,
    /// Row and column of the middle of what is cut out.
    pub(super) hole: (usize, usize),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, step by step: pad, cut, mirror, normalise, cut out.
    fn by_definition(
        augmentation: Augmentation,
        draw: Draw,
        (height, width, channels): (usize, usize, usize),
        table: &[[f32; 256]],
        pixels: &[u8],
    ) -> Vec<f32> {
        let pad = augmentation.crop;
        let mut padded = vec![vec![vec![0u8; channels]; width + 2 * pad]; height + 2 * pad];
        for (place, pixel) in pixels.chunks_exact(channels).enumerate() {
            padded[pad + place / width][pad + place % width] = pixel.to_vec();
        }
        let top = pad.strict_add_signed(draw.down);
        let left = pad.strict_add_signed(draw.right);
        let mut rows: Vec<Vec<Vec<u8>>> =
            padded[top..top + height].iter().map(|row| row[left..left + width].to_vec()).collect();
        if draw.mirrored {
            rows.iter_mut().for_each(|row| row.reverse());
        }
        let mut out = Vec::new();
        for (row, pixels) in rows.iter().enumerate() {
            for (column, pixel) in pixels.iter().enumerate() {
                // Torch's slice [centre − side/2, centre + side/2), for an odd side one more.
                let inside = |place: usize, centre: usize| {
                    let (place, centre) = (place as isize, centre as isize);
                    let side = augmentation.cutout as isize;
                    (centre - side / 2..centre - side / 2 + side).contains(&place)
                };
                let cut = inside(row, draw.hole.0) && inside(column, draw.hole.1);
                for (byte, table) in pixel.iter().zip(table) {
                    out.push(if cut { 0.0 } else { table[usize::from(*byte)] });
                }
            }
        }
        out
    }

    fn table(channels: usize) -> Vec<[f32; 256]> {
        (0..channels)
            .map(|channel| std::array::from_fn(|byte| 1000.0 * (channel + 1) as f32 + byte as f32))
            .collect()
    }

    proptest! {
        #[test]
        fn an_image_is_what_the_definition_says(
            height in 2usize..9, width in 2usize..9, channels in prop::sample::select(vec![1usize, 3]),
            limits in any::<[prop::sample::Index; 2]>(), flip: bool, seed: u64, epoch: u64, index: u32,
        ) {
            let shorter = height.min(width);
            let augmentation = Augmentation {
                crop: limits[0].index(shorter), cutout: limits[1].index(shorter), flip, mixup: 0.0,
            };
            let shape = (height, width, channels);
            let table = table(channels);
            let pixels: Vec<u8> = (1..=(height * width * channels) as u8).collect();
            let (draw, _) = augmentation.draw((height, width), (seed, epoch, index));
            let mut out = vec![f32::NAN; pixels.len()];
            augmentation.paint(&draw, shape, &table, &pixels, &mut out);
            prop_assert_eq!(out, by_definition(augmentation, draw, shape, &table, &pixels));
        }
    }

    #[test]
    fn every_offset_side_and_hole_comes_up_and_no_switch_moves_another() {
        let all = Augmentation { crop: 2, flip: true, mixup: 0.0, cutout: 3 };
        let mut offsets = [[0u32; 5]; 5];
        let (mut mirrored, mut holes) = (0, [[0u32; 4]; 3]);
        for index in 0..10_000 {
            let (draw, _) = all.draw((3, 4), (1, 2, index));
            offsets[(draw.down + 2) as usize][(draw.right + 2) as usize] += 1;
            mirrored += u32::from(draw.mirrored);
            holes[draw.hole.0][draw.hole.1] += 1;
            let without = Augmentation { flip: false, ..all };
            let (unmirrored, _) = without.draw((3, 4), (1, 2, index));
            assert_eq!(unmirrored, Draw { mirrored: false, ..draw });
        }
        // 400 each, with a standard deviation of 20; 5000 with 50; 833 with 28.
        assert!(offsets.iter().flatten().all(|count| count.abs_diff(400) < 90));
        assert!(mirrored.abs_diff(5000) < 225);
        assert!(holes.iter().flatten().all(|count| count.abs_diff(833) < 126));
    }
}
