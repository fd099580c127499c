//! Corrupted images: a shifted test set from a plain one.

use std::fmt;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::ImageError;
use super::set::ImageSet;
use crate::random::RandomStream;

/// How images are corrupted.
///
/// Five simple corruptions of our own after the idea of Hendrycks & Dietterich, “Benchmarking
/// Neural Network Robustness to Common Corruptions and Perturbations” (arXiv:1903.12261): results
/// are not those of CIFAR-10-C. Those of the first three rows take their strengths from the script
/// that made it (hendrycks/robustness, `ImageNet-C/create_c/make_cifar_c.py`); the others are ours.
/// m is the shorter side of the image.
///
/// | kind | parameter | severity 1 | 2 | 3 | 4 | 5 |
/// |---|---|---|---|---|---|---|
/// | `noise`: Gaussian noise for each pixel and channel, cut to 0 … 255 | standard deviation / 255 | 0.04 | 0.06 | 0.08 | 0.09 | 0.10 |
/// | `blur`: Gaussian blur, the border repeated | σ in pixels | 0.4 | 0.6 | 0.7 | 0.8 | 1.0 |
/// | `contrast`: distance from the mean of the channel in this image, scaled | factor | 0.75 | 0.5 | 0.4 | 0.3 | 0.15 |
/// | `translation`: moved in one of eight random directions; what comes in is black | pixels / m | 0.04 | 0.08 | 0.12 | 0.16 | 0.20 |
/// | `occlusion`: a black square at a random place within the image | side / m | 0.2 | 0.3 | 0.4 | 0.5 | 0.6 |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CorruptionKind {
    /// Gaussian noise.
    Noise,
    /// Gaussian blur.
    Blur,
    /// Less contrast.
    Contrast,
    /// A move, with black behind it.
    Translation,
    /// A black square.
    Occlusion,
}

impl CorruptionKind {
    /// All five.
    pub const ALL: [CorruptionKind; 5] = [
        CorruptionKind::Noise,
        CorruptionKind::Blur,
        CorruptionKind::Contrast,
        CorruptionKind::Translation,
        CorruptionKind::Occlusion,
    ];

    fn strengths(self) -> [f64; 5] {
        match self {
            CorruptionKind::Noise => [0.04, 0.06, 0.08, 0.09, 0.10],
            CorruptionKind::Blur => [0.4, 0.6, 0.7, 0.8, 1.0],
            CorruptionKind::Contrast => [0.75, 0.5, 0.4, 0.3, 0.15],
            CorruptionKind::Translation => [0.04, 0.08, 0.12, 0.16, 0.20],
            CorruptionKind::Occlusion => [0.2, 0.3, 0.4, 0.5, 0.6],
        }
    }

    /// The name used in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            CorruptionKind::Noise => "noise",
            CorruptionKind::Blur => "blur",
            CorruptionKind::Contrast => "contrast",
            CorruptionKind::Translation => "translation",
            CorruptionKind::Occlusion => "occlusion",
        }
    }
}

impl fmt::Display for CorruptionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One corruption of a whole set.
///
/// | field | range | meaning |
/// |---|---|---|
/// | `kind`, in a file `corruption` | | see [`CorruptionKind`] |
/// | `severity` | 1 to 5 | how strong |
/// | `seed` | any, 0 unless given | decides noise, directions and places: for an image the same at every severity |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corruption {
    /// How; `corruption` in a file.
    #[serde(rename = "corruption")]
    pub kind: CorruptionKind,
    /// How strong, 1 to 5.
    pub severity: u8,
    /// Decides what is random in it.
    #[serde(default)]
    pub seed: u64,
}

impl ImageSet {
    /// The set with every image corrupted: each by itself, as a function of (corruption, index)
    /// alone.
    ///
    /// # Errors
    /// A severity outside 1 to 5.
    pub fn corrupt(mut self, corruption: Corruption) -> Result<Self, ImageError> {
        let Corruption { kind, severity, seed } = corruption;
        let strengths = kind.strengths();
        let strength = usize::from(severity).checked_sub(1).and_then(|index| strengths.get(index));
        let &strength = strength.ok_or_else(|| {
            ImageError::setting("severity", severity, "must be from 1 (slight) to 5 (strong)")
        })?;
        let shape = self.shape();
        let size = self.image_size();
        self.pixels.par_chunks_exact_mut(size).enumerate().for_each(|(index, pixels)| {
            let mut random = RandomStream::indexed(kind.name(), seed, 0, index as u64);
            match kind {
                CorruptionKind::Noise => noise(strength, &mut random, pixels),
                CorruptionKind::Blur => blur(strength, shape, pixels),
                CorruptionKind::Contrast => contrast(strength, shape, pixels),
                CorruptionKind::Translation => {
                    translation(strength, shape, &mut random, pixels);
                }
                CorruptionKind::Occlusion => occlusion(strength, shape, &mut random, pixels),
            }
        });
        self.rehash();
        Ok(self)
    }
}

/// Nearest byte.
fn byte(value: f64) -> u8 {
    // A cast saturates.
    (value + 0.5).floor() as u8
}

fn noise(strength: f64, random: &mut RandomStream, pixels: &mut [u8]) {
    for pixel in pixels {
        *pixel = byte(f64::from(*pixel) + 255.0 * strength * random.normal());
    }
}

fn blur(sigma: f64, (height, width, channels): (usize, usize, usize), pixels: &mut [u8]) {
    // As scipy.ndimage.gaussian_filter, on which the original stands.
    let reach = (4.0 * sigma).round() as usize;
    let weights: Vec<f64> = (0..=2 * reach)
        .map(|place| libm::exp(-0.5 * ((place as f64 - reach as f64) / sigma).powi(2)))
        .collect();
    let total: f64 = weights.iter().sum();
    let original: Vec<f64> = pixels.iter().map(|&pixel| f64::from(pixel)).collect();
    // Along the rows, then along the columns.
    let mean = |values: &[f64], row: usize, column: usize, channel: usize, vertical: bool| {
        let (place, most) = if vertical { (row, height) } else { (column, width) };
        let sum: f64 = weights
            .iter()
            .enumerate()
            .map(|(offset, weight)| {
                let place = (place + offset).saturating_sub(reach).min(most - 1);
                let (row, column) = if vertical { (place, column) } else { (row, place) };
                weight * values[(row * width + column) * channels + channel]
            })
            .sum();
        sum / total
    };
    let places = || {
        (0..height).flat_map(move |row| {
            (0..width)
                .flat_map(move |column| (0..channels).map(move |channel| (row, column, channel)))
        })
    };
    let rows: Vec<f64> = places()
        .map(|(row, column, channel)| mean(&original, row, column, channel, false))
        .collect();
    for (pixel, (row, column, channel)) in pixels.iter_mut().zip(places()) {
        *pixel = byte(mean(&rows, row, column, channel, true));
    }
}

fn contrast(factor: f64, (height, width, channels): (usize, usize, usize), pixels: &mut [u8]) {
    for channel in 0..channels {
        let values = pixels[channel..].iter().step_by(channels);
        let sum: u64 = values.map(|&pixel| u64::from(pixel)).sum();
        let mean = sum as f64 / (height * width) as f64;
        for pixel in pixels[channel..].iter_mut().step_by(channels) {
            *pixel = byte(mean + factor * (f64::from(*pixel) - mean));
        }
    }
}

/// `share` of the shorter side, at least a pixel.
fn pixels_of(share: f64, height: usize, width: usize) -> usize {
    ((share * height.min(width) as f64).round() as usize).max(1)
}

fn translation(
    share: f64,
    (height, width, channels): (usize, usize, usize),
    random: &mut RandomStream,
    pixels: &mut [u8],
) {
    const DIRECTIONS: [(isize, isize); 8] =
        [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)];
    let distance = pixels_of(share, height, width) as isize;
    let (down, right) = DIRECTIONS[random.below(DIRECTIONS.len() as u64) as usize];
    let original = pixels.to_vec();
    for (place, pixel) in pixels.chunks_exact_mut(channels).enumerate() {
        let row = (place / width).checked_add_signed(-down * distance);
        let column = (place % width).checked_add_signed(-right * distance);
        match (row, column) {
            (Some(row), Some(column)) if row < height && column < width => {
                let source = (row * width + column) * channels;
                pixel.copy_from_slice(&original[source..source + channels]);
            }
            _ => pixel.fill(0),
        }
    }
}

fn occlusion(
    share: f64,
    (height, width, channels): (usize, usize, usize),
    random: &mut RandomStream,
    pixels: &mut [u8],
) {
    let side = pixels_of(share, height, width);
    // From a fraction drawn once: a stronger square covers about the same place.
    let mut start = |most: usize| {
        let fraction = random.next_u64() >> 32;
        ((fraction * (most - side + 1) as u64) >> 32) as usize
    };
    let (top, left) = (start(height), start(width));
    for row in top..top + side {
        pixels[(row * width + left) * channels..(row * width + left + side) * channels].fill(0);
    }
}
