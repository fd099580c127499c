//! Pixels to numbers of mean 0 and standard deviation 1.

use serde::{Deserialize, Serialize};

use super::error::ImageError;
use super::set::ImageSet;
use crate::LoaderError;

/// Mean and standard deviation of each channel, of pixels on the scale 0 to 1: what torchvision's
/// `Normalize` takes.
///
/// x = (byte / 255 − mean) / std
///
/// The standard deviation is that of the population (divided by the number of pixels). A channel
/// that is the same everywhere has the standard deviation 1, so that it becomes 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalisation {
    /// Mean of each channel, 0 to 1.
    pub mean: Vec<f32>,
    /// Standard deviation of each channel, above 0.
    pub std: Vec<f32>,
}

impl Normalisation {
    /// Measures images of a set: those that are trained on. Exact, whatever their order.
    ///
    /// # Errors
    /// [`LoaderError::OutOfRange`] for an image that the set does not have; no image at all.
    pub fn of(set: &ImageSet, indices: &[u32]) -> Result<Self, ImageError> {
        check_indices(set, indices)?;
        let (_, _, channels) = set.shape();
        let mut sums = vec![(0u64, 0u64); channels];
        for &index in indices {
            for pixel in set.pixels(index as usize).chunks_exact(channels) {
                for ((sum, squares), &byte) in sums.iter_mut().zip(pixel) {
                    let byte = u64::from(byte);
                    *sum += byte;
                    *squares += byte * byte;
                }
            }
        }
        let count = (indices.len() * set.image_size() / channels) as u128;
        let (mut mean, mut std) = (Vec::new(), Vec::new());
        for (sum, squares) in sums {
            let (sum, squares) = (u128::from(sum), u128::from(squares));
            // n² times the variance, an integer.
            let spread = count * squares - sum * sum;
            mean.push((sum as f64 / count as f64 / 255.0) as f32);
            std.push(match spread {
                0 => 1.0,
                _ => ((spread as f64).sqrt() / count as f64 / 255.0) as f32,
            });
        }
        Ok(Normalisation { mean, std })
    }

    /// The number of every byte in every channel, `[channel][byte]`.
    ///
    /// # Errors
    /// Another number of channels; a mean that is not finite; a standard deviation that is not
    /// above 0.
    pub(super) fn table(&self, channels: usize) -> Result<Vec<[f32; 256]>, ImageError> {
        for (name, values) in [("normalisation.mean", &self.mean), ("normalisation.std", &self.std)]
        {
            if values.len() != channels {
                let problem = format!("must have a number for each channel, {channels}");
                return Err(ImageError::setting(name, format!("{values:?}"), problem));
            }
        }
        let mut table = Vec::with_capacity(channels);
        for (&mean, &std) in self.mean.iter().zip(&self.std) {
            if !mean.is_finite() {
                let problem = "must be a number, 0 to 1 as a rule";
                return Err(ImageError::setting("normalisation.mean", mean, problem));
            }
            // A subnormal one would make infinite pixels.
            if !(std.is_normal() && std > 0.0) {
                let problem = "must be a number above 0";
                return Err(ImageError::setting("normalisation.std", std, problem));
            }
            let number =
                |byte: usize| ((byte as f64 / 255.0 - f64::from(mean)) / f64::from(std)) as f32;
            table.push(std::array::from_fn(number));
        }
        Ok(table)
    }
}

/// Writes images as they are, normalised but not augmented, to `out`:
/// `[image][row][column][channel]`.
///
/// # Errors
/// [`LoaderError::OutOfRange`] for an image that the set does not have; an `out` of another length
/// than the images take; a normalisation for another number of channels.
pub fn evaluation_batch(
    set: &ImageSet,
    indices: &[u32],
    normalisation: &Normalisation,
    out: &mut [f32],
) -> Result<(), ImageError> {
    let (_, _, channels) = set.shape();
    check_indices(set, indices)?;
    let table = normalisation.table(channels)?;
    let size = set.image_size();
    if out.len() != indices.len() * size {
        let problem = format!("must be {} images × {size} numbers", indices.len());
        return Err(ImageError::setting("length of the buffer", out.len(), problem));
    }
    for (&index, out) in indices.iter().zip(out.chunks_exact_mut(size)) {
        let pixels = set.pixels(index as usize).chunks_exact(channels);
        for (pixel, out) in pixels.zip(out.chunks_exact_mut(channels)) {
            for ((byte, out), table) in pixel.iter().zip(out).zip(&table) {
                *out = table[usize::from(*byte)];
            }
        }
    }
    Ok(())
}

/// Refuses indices that a set does not have, and none at all.
pub(super) fn check_indices(set: &ImageSet, indices: &[u32]) -> Result<(), ImageError> {
    if indices.is_empty() {
        return Err(ImageError::set(set.path(), "no image of it was chosen"));
    }
    match indices.iter().find(|&&index| index as usize >= set.len()) {
        None => Ok(()),
        Some(&index) => {
            let (index, count) = (u64::from(index), set.len() as u64);
            Err(LoaderError::OutOfRange { what: "image", index, count }.into())
        }
    }
}
