//! Pixels and labels as a parser finds them.

use std::io::{self, BufRead, Read};
use std::path::Path;

use super::decode::Decoded;
use super::error::ImageError;
use super::limits::{MOST_PIXELS, TOO_LARGE};

/// Images of one size. `pixels` is `[image][row][column][channel]`.
#[derive(Debug, Default)]
pub(super) struct RawSet {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
    pub(super) pixels: Vec<u8>,
    pub(super) labels: Vec<u32>,
    /// Names of the classes, where the files give them.
    pub(super) class_names: Option<Vec<String>>,
}

impl RawSet {
    /// Adds a decoded image; the first one decides the size.
    pub(super) fn push(
        &mut self,
        path: &Path,
        place: impl Fn() -> String,
        image: &Decoded,
        label: u32,
    ) -> Result<(), ImageError> {
        if self.labels.is_empty() {
            (self.height, self.width, self.channels) = (image.height, image.width, image.channels);
        }
        if (image.height, image.width) != (self.height, self.width) {
            return Err(ImageError::image(
                path,
                place(),
                format!(
                    "it is {} × {} pixels (width × height), the images before it are {} × {}; \
                     bring all to one size first",
                    image.width, image.height, self.width, self.height
                ),
            ));
        }
        if image.channels > self.channels {
            // The first colour among grey images: those before it become colour too.
            self.pixels = self.pixels.iter().flat_map(|&grey| [grey; 3]).collect();
            self.channels = image.channels;
        }
        if image.channels < self.channels {
            let colour = image.pixels.iter().flat_map(|&grey| [grey; 3]);
            self.pixels.extend(colour);
        } else {
            self.pixels.extend_from_slice(&image.pixels);
        }
        if self.pixels.len() as u64 > MOST_PIXELS {
            return Err(ImageError::image(path, place(), TOO_LARGE));
        }
        self.labels.push(label);
        Ok(())
    }
}

/// Reads up to `most` bytes. What is reserved grows with what is there, not with what a header
/// promises.
pub(super) fn read_up_to(reader: &mut dyn BufRead, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
