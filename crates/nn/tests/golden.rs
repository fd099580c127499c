//! Loss and gradients against PyTorch's: `tests/golden/golden.py` makes the files.

use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use wd_nn::{DropoutKey, Float, Gpt, GptConfig, ParameterLayout};

/// A model, a batch and what PyTorch makes of it (autograd in f64).
struct Golden {
    config: GptConfig,
    layout: ParameterLayout,
    parameters: Vec<f32>,
    gradients: Vec<f32>,
    inputs: Vec<u32>,
    targets: Vec<u32>,
    loss: f64,
}

impl Golden {
    fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let config = &metadata.metadata().as_ref().unwrap()["config"];
        let config: GptConfig = serde_json::from_str(config).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let layout = config.layout();
        // Neither side may have a tensor that the other lacks.
        assert_eq!(tensors.len(), 2 * layout.segments.len() + 4, "{}", path.display());
        let arena = |prefix: &str| {
            let mut arena = vec![0.0; layout.len];
            for segment in &layout.segments {
                let tensor = tensors.tensor(&format!("{prefix}/{}", segment.path)).unwrap();
                assert_eq!(
                    (tensor.dtype(), tensor.shape()),
                    (Dtype::F32, segment.shape.as_slice())
                );
                let numbers = tensor
                    .data()
                    .chunks_exact(4)
                    .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
                arena[segment.range()].copy_from_slice(&numbers.collect::<Vec<_>>());
            }
            arena
        };
        let tokens = |name| {
            let tensor = tensors.tensor(name).unwrap();
            assert_eq!(tensor.dtype(), Dtype::I32);
            tensor
                .data()
                .chunks_exact(4)
                .map(|bytes| u32::from_le_bytes(bytes.try_into().unwrap()))
                .collect()
        };
        let loss =
            tensors.tensor("loss_f64").unwrap().data().try_into().map(f64::from_le_bytes).unwrap();
        let (parameters, gradients) = (arena("param"), arena("grad"));
        Self {
            parameters,
            gradients,
            inputs: tokens("inputs"),
            targets: tokens("targets"),
            loss,
            layout,
            config,
        }
    }

    /// Largest relative error of the loss and of any tensor's gradient, the latter relative to the
    /// tensor's norm.
    fn error<F: Float>(&self) -> (f64, f64) {
        let parameters: Vec<F> =
            self.parameters.iter().map(|value| F::from_f64(f64::from(*value))).collect();
        let mut gradients = vec![F::from_f64(f64::NAN); parameters.len()];
        let sequences = self.inputs.len() / self.config.context;
        let mut gpt = Gpt::<F>::new(self.config.clone(), sequences, 1).unwrap();
        let key = DropoutKey::default();
        let loss = gpt
            .loss_and_gradient(&parameters, &mut gradients, &self.inputs, &self.targets, key)
            .unwrap();
        let alone = gpt.loss(&parameters, &self.inputs, &self.targets).unwrap();
        assert!((alone - loss).abs() <= 1e-6 * loss, "loss alone: {alone}, with gradient: {loss}");

        let mut worst = 0.0f64;
        for segment in &self.layout.segments {
            let (mut difference, mut norm) = (0.0, 0.0);
            for (ours, theirs) in
                gradients[segment.range()].iter().zip(&self.gradients[segment.range()])
            {
                difference += (ours.to_f64() - f64::from(*theirs)).powi(2);
                norm += f64::from(*theirs).powi(2);
            }
            let error = (difference / norm).sqrt();
            assert!(error.is_finite(), "{}", segment.path);
            worst = worst.max(error);
        }
        ((loss - self.loss).abs() / self.loss, worst)
    }
}

#[test]
fn equals_pytorch() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "safetensors") {
            files += 1;
            let golden = Golden::read(&path);
            let (loss, gradient) = golden.error::<f32>();
            assert!(
                loss < 1e-5 && gradient < 1e-5,
                "f32, {}: loss {loss:e}, gradient {gradient:e}",
                path.display()
            );
            // The stored gradients are f64 ones rounded to f32: half an ulp, 6e-8, is all that may
            // be between.
            let (loss, gradient) = golden.error::<f64>();
            assert!(
                loss < 1e-12 && gradient < 6e-8,
                "f64, {}: loss {loss:e}, gradient {gradient:e}",
                path.display()
            );
        }
    }
    assert!(files > 0, "no golden files: run tests/golden/golden.py");
}
