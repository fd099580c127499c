//! Convolutional networks against PyTorch's: `tests/golden/convolutional.py` makes the files.

mod support;

use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use wd_nn::{DropoutKey, Float, ParameterLayout, Targets, VisionConfig, VisionModel};

use support::golden_config;

/// A model, a batch and what PyTorch makes of it (autograd in f64).
struct Golden {
    config: VisionConfig,
    layout: ParameterLayout,
    statistics: ParameterLayout,
    parameters: Vec<f32>,
    gradients: Vec<f32>,
    before: Vec<f32>,
    after: Vec<f32>,
    images: Vec<f32>,
    first: Vec<u32>,
    second: Vec<u32>,
    share: Vec<f32>,
    loss: f64,
    logits: Vec<f64>,
}

fn numbers<const N: usize, T>(data: &[u8], from: fn([u8; N]) -> T) -> Vec<T> {
    data.chunks_exact(N).map(|bytes| from(bytes.try_into().unwrap())).collect()
}

impl Golden {
    fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let config = &metadata.metadata().as_ref().unwrap()["config"];
        let config = golden_config(config);
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let (layout, statistics) = (config.layout(), config.running_statistics());
        // Neither side may have a tensor that the other lacks.
        let expected = 2 * (layout.segments.len() + statistics.segments.len()) + 6;
        assert_eq!(tensors.len(), expected, "{}", path.display());
        let data = |name: &str, dtype| {
            let tensor = tensors.tensor(name).unwrap();
            assert_eq!(tensor.dtype(), dtype, "{name}");
            tensor.data().to_vec()
        };
        let arena = |prefix: &str, layout: &ParameterLayout| {
            let mut arena = vec![0.0; layout.len];
            for segment in &layout.segments {
                let name = format!("{prefix}/{}", segment.path);
                assert_eq!(tensors.tensor(&name).unwrap().shape(), segment.shape);
                let values = numbers(&data(&name, Dtype::F32), f32::from_le_bytes);
                arena[segment.range()].copy_from_slice(&values);
            }
            arena
        };
        Self {
            parameters: arena("param", &layout),
            gradients: arena("grad", &layout),
            before: arena("before", &statistics),
            after: arena("after", &statistics),
            images: numbers(&data("images", Dtype::F32), f32::from_le_bytes),
            first: numbers(&data("first", Dtype::I32), u32::from_le_bytes),
            second: numbers(&data("second", Dtype::I32), u32::from_le_bytes),
            share: numbers(&data("share", Dtype::F32), f32::from_le_bytes),
            loss: numbers(&data("loss_f64", Dtype::F64), f64::from_le_bytes)[0],
            logits: numbers(&data("logits_f64", Dtype::F64), f64::from_le_bytes),
            config,
            layout,
            statistics,
        }
    }

    /// Largest relative error of the loss and logits, and of any tensor's gradient or running
    /// statistics, relative to the tensor's norm.
    fn error<F: Float>(&self) -> (f64, f64) {
        let wide = |values: &[f32]| -> Vec<F> {
            let numbers = values.iter().map(|value| F::from_f64(f64::from(*value)));
            numbers.collect()
        };
        let (parameters, images) = (wide(&self.parameters), wide(&self.images));
        let mut running = wide(&self.before);
        let mut gradients = vec![F::from_f64(f64::NAN); parameters.len()];
        let targets = Targets { first: &self.first, second: &self.second, share: &self.share };
        let mut model = VisionModel::<F>::new(self.config.clone(), targets.len(), 1).unwrap();
        let loss = model
            .loss_and_gradient(
                &parameters,
                &mut gradients,
                &mut running,
                &images,
                targets,
                DropoutKey::default(),
            )
            .unwrap();
        let mut logits = vec![F::from_f64(f64::NAN); self.logits.len()];
        model.logits(&parameters, &running, &images, &mut logits).unwrap();

        let relative = |ours: &[F], theirs: &mut dyn Iterator<Item = f64>| {
            let (mut difference, mut norm) = (0.0, 0.0);
            for (ours, theirs) in ours.iter().zip(theirs) {
                difference += (ours.to_f64() - theirs).powi(2);
                norm += theirs.powi(2);
            }
            (difference / norm).sqrt()
        };
        let mut worst = 0.0f64;
        for (layout, ours, theirs) in
            [(&self.layout, &gradients, &self.gradients), (&self.statistics, &running, &self.after)]
        {
            for segment in &layout.segments {
                let mut expected = theirs[segment.range()].iter().map(|x| f64::from(*x));
                let error = relative(&ours[segment.range()], &mut expected);
                assert!(error.is_finite(), "{}", segment.path);
                worst = worst.max(error);
            }
        }
        let loss = (loss - self.loss).abs() / self.loss;
        let logits = relative(&logits, &mut self.logits.iter().copied());
        (loss.max(logits), worst)
    }
}

#[test]
fn equals_pytorch() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/convolutional");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        files += 1;
        let golden = Golden::read(&path);
        let (loss, tensor) = golden.error::<f32>();
        println!("{}: f32 {loss:e} {tensor:e}", path.display());
        assert!(
            loss < 1e-5 && tensor < 1e-5,
            "f32, {}: loss and logits {loss:e}, gradients and statistics {tensor:e}",
            path.display()
        );
        // The stored gradients are f64 ones rounded to f32: half an ulp, 6e-8, is all that may be
        // between.
        let (loss, tensor) = golden.error::<f64>();
        assert!(
            loss < 1e-12 && tensor < 6e-8,
            "f64, {}: loss and logits {loss:e}, gradients and statistics {tensor:e}",
            path.display()
        );
    }
    assert!(files > 0, "no golden files: run tests/golden/convolutional.py");
}
