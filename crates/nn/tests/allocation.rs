//! A step allocates nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use wd_nn::{
    CnnConfig, DropoutKey, Gpt, GptConfig, ImageShape, MlpConfig, ResnetConfig, Targets,
    VisionConfig, VisionModel, VitConfig,
};

/// The system's allocator, which counts.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Is this a thread of the pool that steps run on? The test's own harness allocates when a test
    /// takes long, on its own thread.
    static IN_POOL: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if IN_POOL.try_with(Cell::get).unwrap_or(false) {
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        }
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

/// Asserts that on any number of threads the steps of what `make` makes allocate nothing.
fn assert_allocates_nothing<S: FnMut(u64)>(make: impl Fn(usize) -> S + Sync) {
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .start_handler(|_| IN_POOL.set(true))
            .build()
            .unwrap();
        let counted = pool.install(|| {
            let mut step = make(threads);
            // The GEMM's buffer of each thread is made at its first product.
            (0..20).for_each(&mut step);
            let before = ALLOCATIONS.load(Ordering::Relaxed);
            (20..40).for_each(&mut step);
            ALLOCATIONS.load(Ordering::Relaxed) - before
        });
        assert_eq!(counted, 0, "{threads} threads");
    }
}

fn gpt(threads: usize) -> impl FnMut(u64) {
    let mut config = GptConfig::new(700, 64, 2, 32, 2);
    config.dropout = 0.1;
    let mut parameters = vec![0.0f32; config.layout().len];
    config.initialize(1, &mut parameters).unwrap();
    let mut gradients = vec![0.0f32; parameters.len()];
    let sequences = 40;
    let inputs: Vec<u32> = (0..sequences * 64).map(|index| (index * index % 700) as u32).collect();
    let mut gpt = Gpt::new(config, sequences, threads).unwrap();
    move |step| {
        let key = DropoutKey { seed: 1, step };
        gpt.loss_and_gradient(&parameters, &mut gradients, &inputs, &inputs, key).unwrap();
        gpt.loss(&parameters, &inputs, &inputs).unwrap();
    }
}

fn vision(config: &VisionConfig, threads: usize) -> impl FnMut(u64) + use<> {
    let mut parameters = vec![0.0f32; config.layout().len];
    config.initialize(1, &mut parameters).unwrap();
    let mut gradients = vec![0.0f32; parameters.len()];
    let mut running = vec![1.0f32; config.running_statistics().len];
    let count = 70;
    let images: Vec<f32> =
        (0..count * config.image().numbers()).map(|index| (index % 11) as f32 - 5.0).collect();
    let labels: Vec<u32> = (0..count as u32).map(|index| index % 10).collect();
    let share = vec![1.0; count];
    let mut logits = vec![0.0f32; count * 10];
    let mut model = VisionModel::new(config.clone(), count, threads).unwrap();
    move |step| {
        let key = DropoutKey { seed: 1, step };
        let targets = Targets { first: &labels, second: &labels, share: &share };
        model
            .loss_and_gradient(&parameters, &mut gradients, &mut running, &images, targets, key)
            .unwrap();
        model.logits(&parameters, &running, &images, &mut logits).unwrap();
    }
}

/// One test for all, so that no other test allocates meanwhile.
#[test]
fn a_step_allocates_nothing() {
    assert_allocates_nothing(gpt);
    let image = ImageShape { channels: 3, height: 16, width: 16 };
    let mut vit = VitConfig::new(image, 10, 4, 2, 32, 2);
    vit.dropout = 0.1;
    let mut mlp = MlpConfig::new(image, 10, vec![100, 50]);
    mlp.dropout = 0.1;
    for config in [
        VisionConfig::Vit(vit),
        VisionConfig::Mlp(mlp),
        VisionConfig::Cnn(CnnConfig::new(image, 10, vec![16, 24])),
        VisionConfig::Resnet(ResnetConfig::new(image, 10, 8)),
        VisionConfig::Resnet(ResnetConfig::new(image, 10, 18)),
    ] {
        assert_allocates_nothing(|threads| vision(&config, threads));
    }
}
