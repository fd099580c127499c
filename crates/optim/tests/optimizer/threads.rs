//! The number of threads changes no bit, and the vector instructions are those that the processor
//! has.

use crate::arena::{arithmetics, optimizer, train, wave};
use wd_optim::{OptimizerConfig, instruction_set};

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    // Large enough to be divided among threads; a stretch below 65536 elements is not.
    let shapes: &[&[usize]] = &[&[120, 600], &[70_001], &[5], &[520, 60], &[33_000], &[64, 2]];
    for (name, config) in arithmetics() {
        let config = OptimizerConfig { clip: Some(10.0), ..config };
        let in_pool = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let (mut optimizer, length) = optimizer(config, shapes, 0.1);
                let mut weights = wave(length, 0.5, 0.0);
                train(&mut optimizer, &mut weights, 0..2, 0.01);
                let gradients = wave(length, 0.3, 5.0);
                let report = optimizer
                    .step(&mut weights, &gradients, crate::arena::settings(0.01, 0.02))
                    .unwrap();
                assert!(report.clip_factor < 1.0);
                let measured = (report.gradient_norm, report.clip_factor, report.tensors.to_vec());
                let state: Vec<Vec<f32>> =
                    optimizer.state().into_iter().map(|(_, values)| values.to_vec()).collect();
                (weights, measured, state)
            })
        };
        let alone = in_pool(1);
        assert!(alone == in_pool(2), "{name}: two threads differ from one");
        assert!(alone == in_pool(3), "{name}: three threads differ from one");
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_best_instructions_are_picked_at_run_time() {
    let has_avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512cd")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl");
    let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    match instruction_set() {
        "AVX-512" => assert!(has_avx512),
        "AVX2" => assert!(has_avx2 && !has_avx512),
        other => assert!(other == "baseline" && !has_avx2),
    }
}
