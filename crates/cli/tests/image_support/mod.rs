//! Tiny classifiers on the shipped images.

use std::path::{Path, PathBuf};

/// A tiny vision transformer, and a tiny network of convolutions with batch norm.
pub(crate) const VIT: &str =
    "kind = \"vit\"\npatch = 7\nlayers = 1\nwidth = 16\nheads = 2\ndropout = 0.1\n";
pub(crate) const CNN: &str = "kind = \"cnn\"\nchannels = [8, 16]\n";

/// Writes a configuration of `model` on the shipped images, with everything random that there is.
pub(crate) fn write_image_config(folder: &Path, model: &str, steps: u64) -> PathBuf {
    let path = folder.join("images.toml");
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora/images/fashion-mnist");
    let text = format!(
        "[run]\nsteps = {steps}\ncheckpoint_every = 7\nmeasure_every = 5\naverage = 0.9\n\
         [data]\npath = \"{}\"\nbatch = 20\nsize = 250\nepochs = 40\nevaluation_images = 50\n\
         shifted = {{ corruption = \"noise\", severity = 3 }}\ncrop = 2\nflip = true\nmixup = 0.2\ncutout = 6\n\
         [model]\n{model}label_smoothing = 0.1\n[optim]\nlr = 3e-3\n[decay]\nlambda = 0.1\npolicy = \"timm\"\n",
        images.display()
    );
    std::fs::write(&path, text).expect("a writable folder");
    path
}
