//! A second set for a model that is trained on a first.

use super::error::ImageError;
use super::set::ImageSet;

impl ImageSet {
    /// This set as a second set for a model trained on `training`: with the class numbers of that
    /// set, and its number of channels (grey becomes colour). Classes are matched by name; where no
    /// name is in common and one of the sets has numbers alone, by number.
    ///
    /// # Errors
    /// Images of another size; a label or class that `training` does not have; the very images of
    /// `training`.
    pub fn aligned_to(mut self, training: &ImageSet) -> Result<Self, ImageError> {
        if self.hash == training.hash {
            return Err(ImageError::SameImages { path: self.path });
        }
        if (self.height, self.width) != (training.height, training.width)
            || self.channels > training.channels
        {
            let (height, width, channels) = training.shape();
            return Err(ImageError::set(
                &self.path,
                format!(
                    "its images are {} × {} × {} (height × width × channels), those of the \
                     training set {} are {height} × {width} × {channels}; bring both to one shape",
                    self.height,
                    self.width,
                    self.channels,
                    training.path.display()
                ),
            ));
        }
        let mut numbers = Vec::with_capacity(self.classes());
        // A class of numbered folders is not numbered as its folder: `10` comes before `2`. The
        // name goes first.
        let in_common = |name: &String| training.class_names.contains(name);
        let by_name =
            self.class_names.iter().any(in_common) || (self.is_named() && training.is_named());
        for (class, name) in (0u32..).zip(&self.class_names) {
            let number = if by_name {
                let position = training.class_names.iter().position(|other| other == name);
                position.map(|position| position as u32)
            } else {
                Some(class).filter(|_| (class as usize) < training.classes())
            };
            numbers.push(number);
        }
        for (index, label) in self.labels.iter_mut().enumerate() {
            *label = numbers[*label as usize].ok_or_else(|| {
                ImageError::image(
                    &self.path,
                    format!("image {index}"),
                    format!(
                        "its class is {label} (`{}`), which the training set {} with {} classes \
                         does not have; leave such images out",
                        self.class_names[*label as usize],
                        training.path.display(),
                        training.classes()
                    ),
                )
            })?;
        }
        if !by_name && self.class_names != training.class_names {
            self.paired = Some(format!(
                "classes paired by number, {}",
                pairs(&self.class_names, &training.class_names)
            ));
        }
        self.class_names.clone_from(&training.class_names);
        if self.channels < training.channels {
            self.pixels = self.pixels.iter().flat_map(|&grey| [grey; 3]).collect();
            self.channels = training.channels;
        }
        self.rehash();
        Ok(self)
    }

    /// Whether the classes have names other than their numbers.
    pub(super) fn is_named(&self) -> bool {
        (0..).zip(&self.class_names).any(|(class, name): (usize, _)| *name != class.to_string())
    }
}

/// The first classes of two sets, side by side.
fn pairs(these: &[String], those: &[String]) -> String {
    const SHOWN: usize = 3;
    let mut pairs: Vec<String> = these
        .iter()
        .zip(those)
        .take(SHOWN)
        .map(|(this, that)| format!("{this} is {that}"))
        .collect();
    if these.len() > SHOWN {
        pairs.push("…".to_owned());
    }
    pairs.join(", ")
}
