//! The size of images.

use serde::{Deserialize, Serialize};

use crate::NnError;
use crate::config::check_size;

/// Size of every image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageShape {
    /// Numbers a pixel: 3 for colour, 1 for grey.
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
}

impl ImageShape {
    /// Numbers an image: channels·height·width.
    ///
    /// ```
    /// let image = wd_nn::ImageShape { channels: 3, height: 32, width: 32 };
    /// assert_eq!(image.numbers(), 3072);
    /// ```
    pub fn numbers(self) -> usize {
        self.channels * self.height * self.width
    }

    pub(crate) fn validate(self) -> Result<(), NnError> {
        check_size("image.channels", self.channels)?;
        check_size("image.height", self.height)?;
        check_size("image.width", self.width)?;
        let numbers = [self.channels, self.height, self.width]
            .map(|size| size as u128)
            .iter()
            .product::<u128>();
        if numbers > 1 << 32 {
            return Err(NnError::configuration(
                "image",
                numbers,
                "an image may hold at most 2^32 numbers",
            ));
        }
        Ok(())
    }
}
