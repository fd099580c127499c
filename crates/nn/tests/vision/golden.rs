//! Logits, loss and gradients against PyTorch's and timm's: `tests/golden/vision.py` makes the
//! files.

use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use wd_nn::{DropoutKey, Float, ParameterLayout, Targets, VisionConfig, VisionModel};

use super::support::golden_config;

/// A model, a batch and what PyTorch makes of it (autograd in f64).
struct Golden {
    config: VisionConfig,
    layout: ParameterLayout,
    parameters: Vec<f32>,
    gradients: Vec<f32>,
    images: Vec<f32>,
    first: Vec<u32>,
    second: Vec<u32>,
    share: Vec<f32>,
    logits: Vec<f64>,
    loss: f64,
}

/// The numbers of a tensor, which must have that type.
fn numbers<T, const BYTES: usize>(
    tensors: &SafeTensors<'_>,
    name: &str,
    dtype: Dtype,
    read: fn([u8; BYTES]) -> T,
) -> Vec<T> {
    let tensor = tensors.tensor(name).unwrap();
    assert_eq!(tensor.dtype(), dtype, "{name}");
    tensor.data().chunks_exact(BYTES).map(|bytes| read(bytes.try_into().unwrap())).collect()
}

impl Golden {
    fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let config = &metadata.metadata().as_ref().unwrap()["config"];
        let config = golden_config(config);
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let layout = config.layout();
        // Neither side may have a tensor that the other lacks.
        assert_eq!(tensors.len(), 2 * layout.segments.len() + 6, "{}", path.display());
        let arena = |prefix: &str| {
            let mut arena = vec![0.0; layout.len];
            for segment in &layout.segments {
                let name = format!("{prefix}/{}", segment.path);
                let shape = tensors.tensor(&name).unwrap().shape().to_vec();
                assert_eq!(shape, segment.shape, "{name}");
                let values = numbers(&tensors, &name, Dtype::F32, f32::from_le_bytes);
                arena[segment.range()].copy_from_slice(&values);
            }
            arena
        };
        let floats = |name| numbers(&tensors, name, Dtype::F32, f32::from_le_bytes);
        let labels = |name| numbers(&tensors, name, Dtype::I32, u32::from_le_bytes);
        let doubles = |name| numbers(&tensors, name, Dtype::F64, f64::from_le_bytes);
        Self {
            parameters: arena("param"),
            gradients: arena("grad"),
            images: floats("images"),
            first: labels("first"),
            second: labels("second"),
            share: floats("share"),
            logits: doubles("logits"),
            loss: doubles("loss")[0],
            layout,
            config,
        }
    }

    /// Largest relative errors: of the loss, of the logits, and of any tensor's gradient, the
    /// latter two relative to the norm.
    fn errors<F: Float>(&self) -> [f64; 3] {
        let widen = |values: &[f32]| -> Vec<F> {
            values.iter().map(|value| F::from_f64(f64::from(*value))).collect()
        };
        let (parameters, images) = (widen(&self.parameters), widen(&self.images));
        let mut model = VisionModel::<F>::new(self.config.clone(), self.first.len(), 1).unwrap();
        let mut logits = vec![F::from_f64(f64::NAN); self.logits.len()];
        model.logits(&parameters, &[], &images, &mut logits).unwrap();
        let mut gradients = vec![F::from_f64(f64::NAN); parameters.len()];
        let targets = Targets { first: &self.first, second: &self.second, share: &self.share };
        let key = DropoutKey::default();
        let loss = model
            .loss_and_gradient(&parameters, &mut gradients, &mut [], &images, targets, key)
            .unwrap();

        let theirs = |range: std::ops::Range<usize>| {
            self.gradients[range].iter().map(|value| f64::from(*value))
        };
        let mut worst = 0.0f64;
        for segment in &self.layout.segments {
            let error = relative(&gradients[segment.range()], theirs(segment.range()));
            assert!(error.is_finite(), "{}", segment.path);
            worst = worst.max(error);
        }
        [
            (loss - self.loss).abs() / self.loss,
            relative(&logits, self.logits.iter().copied()),
            worst,
        ]
    }
}

/// ‖ours − theirs‖/‖theirs‖.
fn relative<F: Float>(ours: &[F], theirs: impl Iterator<Item = f64>) -> f64 {
    let (mut difference, mut norm) = (0.0, 0.0);
    for (ours, theirs) in ours.iter().zip(theirs) {
        difference += (ours.to_f64() - theirs).powi(2);
        norm += theirs.powi(2);
    }
    (difference / norm).sqrt()
}

#[test]
fn equals_pytorch() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vision");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        files += 1;
        let golden = Golden::read(&path);
        let errors = golden.errors::<f32>();
        assert!(
            errors.iter().all(|error| *error < 1e-5),
            "f32, {}: loss, logits, gradients {errors:?}",
            path.display()
        );
        // The stored gradients are f64 ones rounded to f32: half an ulp, 6e-8, is all that may be
        // between.
        let [loss, logits, gradients] = golden.errors::<f64>();
        assert!(
            loss < 1e-12 && logits < 1e-12 && gradients < 6e-8,
            "f64, {}: loss {loss:e}, logits {logits:e}, gradients {gradients:e}",
            path.display()
        );
    }
    assert!(files >= 6, "{files} golden files: run tests/golden/vision.py");
}
