//! A step allocates nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use wd_nn::{
    CnnConfig, DropoutKey, Gpt, GptConfig, ImageShape, ResnetConfig, Targets, VisionConfig,
    VisionModel,
};

/// The system's allocator, which counts.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test for all, so that no other test allocates meanwhile.
#[test]
fn a_step_allocates_nothing() {
    let mut config = GptConfig::new(700, 64, 2, 32, 2);
    config.dropout = 0.1;
    let mut parameters = vec![0.0f32; config.layout().len];
    config.initialize(1, &mut parameters).unwrap();
    let mut gradients = vec![0.0f32; parameters.len()];
    let sequences = 40;
    let inputs: Vec<u32> = (0..sequences * 64)
        .map(|index| (index * index % 700) as u32)
        .collect();
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let counted = pool.install(|| {
            let mut gpt = Gpt::new(config.clone(), sequences, threads).unwrap();
            let mut step = |step| {
                let key = DropoutKey { seed: 1, step };
                gpt.loss_and_gradient(&parameters, &mut gradients, &inputs, &inputs, key)
                    .unwrap();
                gpt.loss(&parameters, &inputs, &inputs).unwrap();
            };
            // The GEMM's buffer of each thread is made at its first product.
            (0..20).for_each(&mut step);
            let before = ALLOCATIONS.load(Ordering::Relaxed);
            (20..40).for_each(&mut step);
            ALLOCATIONS.load(Ordering::Relaxed) - before
        });
        assert_eq!(counted, 0, "{threads} threads");
        for config in convolutional() {
            let counted = pool.install(|| convolutional_steps(&config, threads));
            assert_eq!(counted, 0, "{threads} threads, {config:?}");
        }
    }
}

fn convolutional() -> [VisionConfig; 3] {
    let image = ImageShape {
        channels: 3,
        height: 16,
        width: 16,
    };
    [
        VisionConfig::Cnn(CnnConfig::new(image, 10, vec![16, 24])),
        VisionConfig::Resnet(ResnetConfig::new(image, 10, 8)),
        VisionConfig::Resnet(ResnetConfig::new(image, 10, 18)),
    ]
}

/// Allocations of ten steps and evaluations, after as many.
fn convolutional_steps(config: &VisionConfig, threads: usize) -> usize {
    let images = 20;
    let numbers = config.image().numbers();
    let mut parameters = vec![0.0f32; config.layout().len];
    config.initialize(1, &mut parameters).unwrap();
    let mut gradients = vec![0.0f32; parameters.len()];
    let mut running = vec![1.0f32; config.running_statistics().len];
    let batch: Vec<f32> = (0..images * numbers)
        .map(|index| (index % 97) as f32 / 48.0 - 1.0)
        .collect();
    let (labels, share) = (vec![3; images], vec![1.0; images]);
    let targets = Targets {
        first: &labels,
        second: &labels,
        share: &share,
    };
    let mut logits = vec![0.0; images * 10];
    let mut model = VisionModel::new(config.clone(), images, threads).unwrap();
    let mut step = |step| {
        let key = DropoutKey { seed: 1, step };
        model
            .loss_and_gradient(
                &parameters,
                &mut gradients,
                &mut running,
                &batch,
                targets,
                key,
            )
            .unwrap();
        model
            .logits(&parameters, &running, &batch, &mut logits)
            .unwrap();
    };
    (0..10).for_each(&mut step);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    (10..20).for_each(&mut step);
    ALLOCATIONS.load(Ordering::Relaxed) - before
}
